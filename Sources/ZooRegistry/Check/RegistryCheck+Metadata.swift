// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTrust

extension RegistryCheck {
    /// Checks that the signed metadata of a registry is complete, valid and about these index documents.
    ///
    /// - Parameter indexes: the index documents.
    /// - Returns: what is wrong with the index documents, and what has expired.
    /// - Throws: ``ZooError`` when the metadata cannot be read or verified.
    func checkMetadata(_ indexes: IndexDocuments) throws(ZooError) -> [Finding] {
        // A description that cannot be read is a finding of its own.
        guard let trust = (try? documents.description())?.trust else { return [] }
        let root = try FileSystem.document(
            "\(self.root)/\(trust.path)",
            limit: MetadataLimits().root
        )
        guard ContentDigest(of: root) == trust.digest else {
            throw ZooError(
                .trustFingerprint,
                "'\(trust.path)' is not the root that '\(RegistryLayout.description)' names",
                remedy: "restore both from a backup or a copy of the registry"
            )
        }
        let repository = MetadataRepository(registry: self.root)
        let state = try repository.state()
        var findings = [
            expiry("root", state.root.content.header),
            expiry("targets", state.targets.content.header),
            expiry("snapshot", state.snapshot.content.header),
            expiry("timestamp", state.timestamp.content.header),
        ].compactMap(\.self)
        var signed = state.targets.content.targets
        for (role, keys) in state.targets.content.delegations.roles {
            let targets = try repository.targets(of: role, by: keys, in: state.snapshot).content
            signed.merge(targets.targets) { first, _ in first }
            if let finding = expiry("\(role)", targets.header) { findings.append(finding) }
        }
        for name in indexes.read.keys.sorted() {
            let file = signed.removeValue(forKey: ExactName(SignedIndex.target(of: name)))
            guard let bytes = try documents.indexBytes(of: name),
                file == nil || (try? file?.require(bytes)) == nil
            else { continue }
            findings.append(unsigned(RegistryLayout.index(name), "is not the signed one"))
        }
        for path in signed.keys.sorted() {
            findings.append(unsigned("index/\(path.text)", "is signed, and missing"))
        }
        return findings
    }

    private func expiry(_ role: String, _ header: MetadataHeader) -> Finding? {
        guard header.expires <= now else { return nil }
        return Finding(
            .trustExpired,
            path: MetadataRepository.folder,
            message:
                "the metadata '\(role)' expired at \(header.expires); clients refuse the registry",
            remedy: "run 'ami-zoo trust renew \(root)'"
        )
    }

    private func unsigned(_ path: String, _ problem: String) -> Finding {
        Finding(
            .indexUnsigned,
            path: path,
            message: "the index document \(problem)",
            remedy: "the next change of the model restores the signed one"
        )
    }
}
