// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What proved that a target was current at a time: it can be verified again without the repository.
package struct TargetProof: Sendable {
    /// The path of the target.
    package let target: String
    /// The time at which the metadata was compared with its expiry dates.
    package let time: Timestamp
    /// The metadata of each role on the way to the target.
    package let documents: [RoleName: [UInt8]]

    /// Takes documents that were kept.
    package init(target: String, time: Timestamp, documents: [RoleName: [UInt8]]) {
        self.target = target
        self.time = time
        self.documents = documents
    }

    /// Verifies every document again, by the rules of an update that starts with this root.
    ///
    /// - Parameter now: the time with which expiry dates are compared: ``time``, or the current time.
    /// - Returns: the size and the hashes of the target.
    /// - Throws: ``ZooError`` with a `trust.*`, `json.*` or `format.*` code.
    package func verified(at now: Timestamp) throws(ZooError) -> TargetFile {
        let root = try TrustedRoot(anchor: try document(of: .root), now: now).concluded()
        let timestamp = try root.timestamp(try document(of: .timestamp), after: nil)
        let snapshot = try timestamp.snapshot(try document(of: .snapshot), after: nil)
        var search = TargetSearch(
            for: target,
            from: root,
            limit: MetadataLimits().delegatedRoles
        )
        while let visit = try search.next() {
            let targets = try snapshot.targets(
                try SignedDocument(parsing: try document(of: visit.role)),
                of: visit.role,
                by: visit.keys
            )
            if let found = search.look(into: targets) { return found }
        }
        throw .unknownTarget(target)
    }

    private func document(of role: RoleName) throws(ZooError) -> [UInt8] {
        guard let bytes = documents[role] else {
            throw ZooError(
                .trustMissing,
                "the metadata '\(role)' was not kept",
                remedy: "pull the release again"
            )
        }
        return bytes
    }
}
