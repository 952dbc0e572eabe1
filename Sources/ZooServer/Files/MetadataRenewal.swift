// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Logging
internal import ServiceLifecycle
internal import ZooFiles
internal import ZooRegistry

/// Signs snapshot and timestamp of a signed registry again, at the start of the server and then every six hours.
///
/// The timestamp is valid for seven days, so that many renewals may fail before a client notices.
struct MetadataRenewal: Service {
    /// The registry.
    let registry: RegistryFolder
    /// Where its own keys lie.
    let state: TrustState
    /// Receives failures.
    let logger: Logger

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    _ = try await BlockingWork.run { cancellation in
                        try registry.renewMetadata(
                            in: state,
                            with: [],
                            at: Clock.seconds(),
                            cancellation
                        )
                    }
                } catch {
                    logger.warning("cannot renew the signed metadata: \(error)")
                }
                // A cancelled sleep ends the loop.
                try? await Task.sleep(for: .seconds(6 * 3600))
            }
        }
    }
}
