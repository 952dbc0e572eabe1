// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooCore
internal import ZooFiles

/// The credentials that `ami-zoo login` stored: a JSON file that only its owner can read.
package struct CredentialStore: Sendable {
    private static let format = "ami-zoo.credentials/1"
    private let path: String

    /// Opens the file at a path, which need not exist.
    package init(path: String) { self.path = path }

    /// The credentials of a host; nil when there are none.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    package func credentials(of host: String) throws(ZooError) -> RegistryCredentials? {
        guard let entry = try hosts()[host] else { return nil }
        let object = try JSONObject(entry, at: "hosts.\(host)")
        return RegistryCredentials(
            user: try object.string("user", maximum: 1024),
            secret: try object.string("secret", maximum: 1 << 16)
        )
    }

    /// Stores the credentials of a host, or removes them.
    ///
    /// - Parameters:
    ///   - credentials: the credentials; nil removes those of the host.
    ///   - host: the host, with its port if it is not that of the scheme.
    /// - Returns: whether there were credentials before.
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    @discardableResult
    package func store(
        _ credentials: RegistryCredentials?,
        of host: String
    ) throws(ZooError) -> Bool {
        var hosts = try hosts()
        let old = hosts[host]
        hosts[host] = credentials.map {
            ["user": .string($0.user), "secret": .string($0.secret)]
        }
        guard old != nil || credentials != nil else { return false }
        let document: JSONValue = ["format": .string(Self.format), "hosts": .object(hosts)]
        try FileSystem.createFolder(FileSystem.parent(of: path))
        try FileSystem.writePrivately(path, document.canonicalBytes)
        return old != nil
    }

    private func hosts() throws(ZooError) -> [String: JSONValue] {
        guard try FileSystem.status(path) != nil else { return [:] }
        let object = try JSONObject(
            try JSONValue(parsing: try FileSystem.document(path, limit: 1 << 20))
        )
        try object.requireFormat(Self.format)
        return try object.object("hosts").members
    }
}

/// The credentials that Docker or Podman stored: `config.json` or `auth.json`.
///
/// Source: docker/cli, `cli/config/configfile/file.go`; containers/image, `containers-auth.json(5)`.
package struct ContainerCredentials: Sendable {
    private let path: String
    private let helperFolders: [String]
    private let patience: Duration

    /// Opens the file at a path, which need not exist.
    ///
    /// - Parameters:
    ///   - path: the path.
    ///   - helperFolders: where the programs are that keep credentials, as in `PATH`.
    ///   - patience: how long such a program may take.
    package init(
        path: String,
        helperFolders: [String] = [],
        patience: Duration = .seconds(60)
    ) {
        self.path = path
        self.helperFolders = helperFolders
        self.patience = patience
    }

    /// The credentials of a host; nil when there are none.
    ///
    /// The helper of the host comes first, then the file, then the helper of all hosts. Blocks while a
    /// helper runs.
    ///
    /// - Throws: ``ZooError`` with code `login.helper-failed`, or a `json.*`, `format.*` or `io.*` code.
    package func credentials(of host: String) throws(ZooError) -> RegistryCredentials? {
        guard (try? FileSystem.followedStatus(path)) != nil else { return nil }
        let bytes = try OpenFile(path, .readFollowing)
        let object = try JSONObject(
            try JSONValue(parsing: try bytes.bytes(0..<min(try bytes.status().size, 1 << 20)))
        )
        let keys = [host, "https://\(host)", "http://\(host)", "https://\(host)/v1/"]
        if let helpers = try object.optionalObject("credHelpers") {
            for key in keys {
                guard let name = try helpers.optionalString(key) else { continue }
                let helper = helper(name)
                // It was chosen for this registry, so another login would be the wrong one.
                guard let program = try helper.program() else { throw helper.missing }
                return try helper.credentials(of: key, from: program)
            }
        }
        if let found = try stored(in: object, keys) { return found }
        // A configuration that came from another machine may name a program that is not here.
        guard let name = try object.optionalString("credsStore"), !name.isEmpty,
            let program = try helper(name).program()
        else { return nil }
        for key in keys {
            if let found = try helper(name).credentials(of: key, from: program) { return found }
        }
        return nil
    }

    private func helper(_ name: String) -> CredentialHelper {
        CredentialHelper(name: name, folders: helperFolders, patience: patience)
    }

    private func stored(
        in object: JSONObject,
        _ keys: [String]
    ) throws(ZooError) -> RegistryCredentials? {
        guard case .object(let auths)? = object.value("auths") else { return nil }
        for key in keys {
            guard let entry = auths[key] else { continue }
            // An entry without 'auth' belongs to a credential helper.
            guard
                let text = try JSONObject(entry, at: "auths").optionalString(
                    "auth",
                    maximum: 1 << 16
                ), let decoded = Data(base64Encoded: text),
                let pair = String(data: decoded, encoding: .utf8),
                let colon = pair.firstIndex(of: ":")
            else { continue }
            return RegistryCredentials(
                user: String(pair[..<colon]),
                secret: String(pair[pair.index(after: colon)...])
            )
        }
        return nil
    }
}
