// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooCore
import ZooFiles
import ZooTransport
import ZooTrust

/// The TUF client as the suite theupdateframework/tuf-conformance drives it.
@main
struct ConformanceClient {
    static func main() async {
        do {
            try await run(try Arguments(Array(CommandLine.arguments.dropFirst())))
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ arguments: Arguments) async throws {
        // The suite changes the time of the process with libfaketime.
        let now = Timestamp(secondsSince1970: Int(Date().timeIntervalSince1970))
        let folder = MetadataFolder(arguments.folder)
        let transport = HTTPTransport(configuration: TransportConfiguration(version: "conformance"))
        func updater(_ url: String) -> MetadataUpdater {
            MetadataUpdater(
                folder: folder,
                files: WebFiles(url: url, transport: transport),
                now: now
            )
        }
        switch arguments.command {
        case .initialize(let root):
            let anchor = try FileSystem.document(root, limit: MetadataLimits().root)
            try folder.initialize(anchor: anchor, now: now)
        case .refresh(let metadata):
            try await updater(metadata).refresh()
        case .download(let metadata, let targets, let names, let downloads):
            let updater = updater(metadata)
            try await updater.refresh()
            for name in names {
                let target = try await updater.target(name)
                // One file for each target, whatever its path.
                let file = "\(downloads)/\(ContentDigest(of: name.utf8).hex)"
                if let stored = try? FileSystem.document(file, limit: target.length),
                    (try? target.require(stored)) != nil
                {
                    continue
                }
                let files = WebFiles(url: targets, transport: transport)
                let content = try await updater.content(of: target, from: files)
                try FileSystem.writeAtomically(file, content)
            }
        }
    }
}
