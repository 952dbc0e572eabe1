// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The registry, the catalogue and the suite definitions that ship with the program, located relative to the program.
///
/// ```
/// PREFIX/bin/ami-zoo                    an installation: the folders in PREFIX/share/ami-zoo
/// TREE/.build/…/ami-zoo                 a build: the folders of the source tree
/// ```
/// Symbolic links to the program are resolved first, and PREFIX is relocatable. No other folder
/// is searched, so that write access to a folder above the program does not allow choosing its
/// registry.
package struct ShippedFiles: Sendable {
    /// The registry folder; nil when there is none beside the program.
    package let registry: String?
    /// The folder of the catalogue; nil when there is none beside the program.
    package let catalogue: String?
    /// The folder of the suite definitions; nil when there is none beside the program.
    package let suites: String?

    /// Locates the files that ship with the program at a path.
    ///
    /// - Parameter program: the absolute path of the executable, without symbolic links.
    package init(of program: String) {
        let share = "\(FileSystem.parent(of: FileSystem.parent(of: program)))/share/ami-zoo"
        let places: (registry: String, catalogue: String, suites: String)
        if Self.isRegistry("\(share)/registry") {
            // Not `models`: in ~/.local/share/ami-zoo, that is a folder of the local store.
            places = ("\(share)/registry", "\(share)/catalogue", "\(share)/suites")
        } else if let tree = Self.sourceTree(of: program) {
            places = ("\(tree)/registry/embedded", "\(tree)/models", "\(tree)/suites")
        } else {
            (registry, catalogue, suites) = (nil, nil, nil)
            return
        }
        registry = Self.isRegistry(places.registry) ? places.registry : nil
        catalogue = FileSystem.isFolder(places.catalogue) ? places.catalogue : nil
        suites = FileSystem.isFolder(places.suites) ? places.suites : nil
    }

    /// What ships with the running program.
    package static var current: ShippedFiles { ShippedFiles(of: executable() ?? "/") }

    /// The source tree that contains the build folder of a program.
    private static func sourceTree(of program: String) -> String? {
        var folder = FileSystem.parent(of: program)
        while folder != "/", folder != "." {
            let parent = FileSystem.parent(of: folder)
            if folder.hasSuffix("/.build") { return parent }
            folder = parent
        }
        return nil
    }

    private static func isRegistry(_ folder: String) -> Bool {
        // Skips a folder whose status cannot be read.
        let status = try? FileSystem.status("\(folder)/\(RegistryLayout.description)")
        return status.flatMap(\.self) != nil
    }

    /// The path of the running program, without symbolic links; nil if it is unknown.
    private static func executable() -> String? {
        #if os(Linux)
        let path = "/proc/self/exe"
        #else
        let path = CommandLine.arguments[0]
        #endif
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
