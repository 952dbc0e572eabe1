// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooRegistry

/// Maps a request to one registry of a server: the one at its root, or a mounted one.
///
/// A mounted registry gets only requests with its own credentials. All others are answered by the
/// registry at the root, which has nothing below the prefix: so what is forbidden cannot differ from
/// what does not exist. Credentials of one registry count as none in another.
struct MountTable: Sendable {
    /// Where a request goes.
    struct Route: Sendable {
        /// The registry that answers.
        let registry: RegistryResponder
        /// The target, without the prefix of a mounted registry.
        let target: RequestTarget
        /// The credentials that count there; nil for none.
        let credentials: RequestCredentials?
    }

    /// The registry at the root.
    let main: RegistryResponder
    /// The mounted registries, each with its prefix.
    let mounted: [(prefix: MountPrefix, responder: RegistryResponder)]

    /// The registry at the root, then the mounted ones.
    var all: [RegistryResponder] { [main] + mounted.map(\.responder) }

    /// The number of uploads that are not complete, in all registries.
    var uploads: Int { all.reduce(0) { $0 + ($1.registry.writer?.uploads.count ?? 0) } }

    /// Finds the registry that answers a request.
    ///
    /// - Parameters:
    ///   - target: the target as it was sent.
    ///   - credentials: the credentials that were sent; nil for none.
    /// - Returns: the registry, and what the request means to it.
    /// - Throws: ``ZooError`` with code `server.overloaded` when it cannot be known whose credentials
    ///   these are.
    func route(
        _ target: RequestTarget,
        _ credentials: RequestCredentials?
    ) async throws -> Route {
        // No mounted registry has anonymous readers.
        guard let credentials, !mounted.isEmpty, let owner = try await owner(of: credentials) else {
            return Route(registry: main, target: target, credentials: credentials)
        }
        // A client asks these before it says, or without saying, which registry it wants.
        if ["/v2", "/v2/", "/token"].contains(target.path) {
            return Route(registry: owner.responder, target: target, credentials: credentials)
        }
        guard let inner = Self.target(target, below: owner.prefix) else {
            return Route(registry: main, target: target, credentials: nil)
        }
        return Route(registry: owner.responder, target: inner, credentials: credentials)
    }

    /// The mounted registry whose credentials these are; nil for those of the root, and unknown ones.
    ///
    /// The same registries are asked for every path, so that neither an error nor the time of an answer
    /// depends on a prefix.
    private func owner(
        of credentials: RequestCredentials
    ) async throws -> (prefix: MountPrefix, responder: RegistryResponder)? {
        guard try await !main.policy.knows(credentials) else { return nil }
        var failure: ZooError?
        for mount in mounted {
            do {
                if try await mount.responder.policy.knows(credentials) { return mount }
            } catch let error as ZooError {
                // It names files of a registry of which the sender may know nothing.
                main.log.failure(error)
                failure = error
            }
        }
        guard failure != nil else { return nil }
        throw ZooError(.overloaded, "the credentials cannot be checked; try again later")
    }

    /// The target in a mounted registry; nil when it is not below its prefix.
    private static func target(
        _ target: RequestTarget,
        below prefix: MountPrefix
    ) -> RequestTarget? {
        for start in ["/v2/", "/"] {
            let outer = "\(start)\(prefix)/"
            let rest = target.path.dropFirst(outer.count)
            if target.path.hasPrefix(outer), !rest.isEmpty {
                return target.replacingPath(with: start + rest)
            }
        }
        return nil
    }
}
