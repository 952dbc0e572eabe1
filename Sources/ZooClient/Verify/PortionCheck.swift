// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooStore

/// Checks that a folder holds the components that are expected in it.
///
/// Whoever removes files from a folder can also change the document that lists its components. So the
/// list counts only if the store recorded it, or if the user asks for these components.
struct PortionCheck {
    let release: InstalledRelease
    /// The components that the user asked for; nil if the user named none.
    let wanted: Set<String>?
    /// Whether a receipt outside the folder exists; it is compared with the folder elsewhere.
    let isRecorded: Bool
    /// Whether the user asked for a digest or named a registry, and so expects the whole release.
    let isPinned: Bool

    /// Finds components that should be in the folder.
    ///
    /// - Throws: ``ZooError`` with code `release.component-not-found`.
    func findings() throws(ZooError) -> [Finding] {
        try release.record.requireComponents(wanted)
        let known = release.record.components.map(\.name)
        let held = release.components ?? Set(known)
        if let wanted {
            return wanted.isSubset(of: held) ? [] : [incomplete(wanted.subtracting(held), held)]
        }
        guard !isRecorded, release.files.count < release.record.files.count else { return [] }
        if isPinned { return [incomplete(Set(known).subtracting(held), held)] }
        return [
            Finding(
                .componentsUnconfirmed,
                .warning,
                path: InstalledRelease.installName,
                message: "the folder states that only \(Self.list(held)) was fetched, and nothing "
                    + "outside the folder confirms it",
                remedy: remedy(held)
            )
        ]
    }

    private func incomplete(_ missing: Set<String>, _ held: Set<String>) -> Finding {
        Finding(
            .incomplete,
            path: InstalledRelease.installName,
            message: "the folder lacks \(Self.list(missing)) of \(release.reference)",
            remedy: remedy(held)
        )
    }

    private func remedy(_ held: Set<String>) -> String {
        let options = held.sorted().map { "--only \($0)" }.joined(separator: " ")
        return "if only a part is meant, verify with \(options); to fetch the whole release, run "
            + "'ami-zoo pull \(release.reference) --to' with another folder"
    }

    private static func list(_ names: Set<String>) -> String {
        names.sorted().map { "'\($0)'" }.joined(separator: ", ")
    }
}

extension ArchivedRecord {
    /// Checks that the release has the components that a user named.
    ///
    /// - Throws: ``ZooError`` with code `release.component-not-found`.
    func requireComponents(_ names: Set<String>?) throws(ZooError) {
        let known = components.map(\.name)
        guard let unknown = names?.subtracting(known).min() else { return }
        guard kind == .model else {
            throw ZooError(
                .componentUnknown,
                "'\(name):\(version)' is a data set, which has no components",
                remedy: "leave out --only: a data set is fetched as a whole"
            )
        }
        throw ZooError(
            .componentUnknown,
            "'\(name):\(version)' has no component '\(unknown)'",
            remedy: "choose from \(known.joined(separator: ", "))"
        )
    }
}
