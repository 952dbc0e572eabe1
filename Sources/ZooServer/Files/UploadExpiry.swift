// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Logging
internal import ServiceLifecycle
internal import ZooFiles
internal import ZooRegistry

/// Removes uploads without progress, at the start of the server and then once in an hour.
struct UploadExpiry: Service {
    /// The uploads.
    let uploads: UploadFolder
    /// Receives failures.
    let logger: Logger

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    _ = try await BlockingWork.run { _ in try uploads.removeExpired() }
                } catch {
                    logger.warning("cannot remove expired uploads: \(error)")
                }
                // A cancelled sleep ends the loop.
                try? await Task.sleep(for: .seconds(3600))
            }
        }
    }
}
