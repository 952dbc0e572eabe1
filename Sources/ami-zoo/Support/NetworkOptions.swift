// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooTransport

/// Options of every command that uses the network.
struct NetworkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A PEM file of the certificate authorities to trust instead of the system's.",
            discussion: "Default: CURL_CA_BUNDLE, or else SSL_CERT_FILE and SSL_CERT_DIR.",
            valueName: "file"
        )
    )
    var caFile: String?

    @Option(
        help: ArgumentHelp(
            "Give up after this many seconds without progress, retries included. Default: 300.",
            valueName: "seconds"
        )
    )
    var timeout: Double?

    @Option(
        help: ArgumentHelp(
            "The speed limit of the whole command in bytes per second; K, M and G are powers of 1024.",
            valueName: "bytes-per-second"
        )
    )
    var maxRate: ByteRate?

    @Option(
        help: ArgumentHelp(
            "The number of connections, 1 to 64. Default: 4; pull and repair adapt it, 4 to 8.",
            valueName: "number"
        )
    )
    var connections: Int?

    func validate() throws {
        if let timeout, !(1...86_400).contains(timeout) {
            throw ValidationError("--timeout must be 1 to 86400 seconds")
        }
        if let connections, !(1...64).contains(connections) {
            throw ValidationError("--connections must be 1 to 64")
        }
    }

    /// Applies the options and the environment variables to the settings of a transport.
    ///
    /// - Throws: ``ZooError`` with code `io.not-found` if the file of `--ca-file` does not exist.
    func apply(
        to configuration: inout TransportConfiguration,
        environment: (String) -> String?
    ) throws(ZooError) {
        if let timeout {
            configuration.policy = TransferPolicy(timeout: .milliseconds(Int(timeout * 1000)))
        }
        if let connections { configuration.policy.connections = connections }
        configuration.policy.maximumRate = maxRate?.bytesPerSecond
        configuration.proxies = ProxySettings(environment: environment)
        if let caFile {
            guard try FileSystem.status(caFile) != nil else {
                throw ZooError(
                    .fileMissing,
                    "the file '\(caFile)' that --ca-file names does not exist",
                    remedy: "give the path of a PEM file with certificates"
                )
            }
            configuration.authorities = .custom(file: caFile, folder: nil)
            return
        }
        func value(_ name: String) -> String? {
            environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        // As in the curl program; libcurl itself reads none of the three variables.
        let bundle = value("CURL_CA_BUNDLE")
        let file = bundle ?? value("SSL_CERT_FILE")
        let folder = bundle == nil ? value("SSL_CERT_DIR") : nil
        if file != nil || folder != nil {
            configuration.authorities = .custom(file: file, folder: folder)
        }
    }
}

/// A number of bytes per second, such as `500K` or `1.5M`; K, M and G are powers of 1024, as for
/// curl's `--limit-rate`.
struct ByteRate: ExpressibleByArgument {
    let bytesPerSecond: Int

    init?(argument: String) {
        let units = ["k": 1024.0, "m": 1_048_576, "g": 1_073_741_824]
        let unit = argument.last.flatMap { units[$0.lowercased()] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        // 'Double' also reads signs, exponents, hexadecimal digits and 'infinity'.
        guard digits.allSatisfy({ $0 == "." || "0"..."9" ~= $0 }), let number = Double(digits),
            case let rate = number * (unit ?? 1), (1024...1e12).contains(rate)
        else { return nil }
        bytesPerSecond = Int(rate)
    }
}
