// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooTrust

/// The keys with which a writer of a signed registry folder signs.
package struct RegistrySigner: Sendable {
    /// The keys of the roles that list index documents: those of a publisher.
    package let keys: [PrivateKey]
    /// The keys of the roles snapshot and timestamp: those of the registry.
    package let online: OnlineKeys
    /// The current time in seconds since 1970.
    let now: @Sendable () -> Int

    /// Takes keys.
    ///
    /// - Parameters:
    ///   - keys: the keys of a publisher.
    ///   - online: the keys of the registry.
    ///   - now: the clock.
    package init(
        keys: [PrivateKey],
        online: OnlineKeys,
        now: @escaping @Sendable () -> Int = { Clock.seconds() }
    ) {
        self.keys = keys
        self.online = online
        self.now = now
    }
}
