// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Facts about all commands, which only the manual page of the program lists.
enum ProgramFacts {
    private static let statuses = [
        ("0", "Success."), ("1", "The check ran and found failures."),
        ("64", "The command line is invalid."), ("65", "Input data is invalid."),
        ("66", "A named model, file or other item does not exist."),
        ("69", "A registry or web server cannot be reached."),
        ("74", "Input or output failed on this machine, for example because the disk is full."),
        ("76", "A digest does not match."), ("77", "Permission denied, or not trusted."),
        ("130", "A signal ended the command."),
    ]

    private static let variables = [
        ("AMI_ZOO_HOME", "The local store. Default: ami-zoo in the data folder."),
        (
            "AMI_ZOO_REGISTRY",
            """
            The registry to read without --registry. Default: the one in the configuration file, \
            then the one that ships with ami-zoo.
            """
        ),
        ("XDG_DATA_HOME", "The data folder. Default: ~/.local/share."),
        ("XDG_CONFIG_HOME", "The configuration folder. Default: ~/.config."),
        (
            "http_proxy, https_proxy, all_proxy, no_proxy",
            "Proxies for HTTP and HTTPS, as curl(1) reads them."
        ),
    ]

    private static let files = [
        (
            "~/.config/ami-zoo/config.json",
            "The configuration: a JSON object whose 'registry' names the registry to read."
        ),
        ("~/.local/share/ami-zoo", "The local store."),
        ("PREFIX/share/ami-zoo/registry", "The registry that ships with ami-zoo."),
        ("PREFIX/share/ami-zoo/catalogue", "The catalogue that 'ami-zoo import' reads."),
    ]

    static func write(to page: inout Roff) {
        page.macro("SH", ["EXIT STATUS"])
        list(statuses, in: &page)
        page.macro("SH", ["ENVIRONMENT"])
        list(variables, in: &page)
        page.macro("SH", ["FILES"])
        list(files, in: &page)
    }

    private static func list(_ facts: [(name: String, meaning: String)], in page: inout Roff) {
        for fact in facts {
            page.macro("TP")
            page.line(Roff.bold(fact.name))
            page.prose(fact.meaning)
        }
    }
}
