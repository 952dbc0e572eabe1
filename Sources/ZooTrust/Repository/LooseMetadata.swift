// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A metadata file that somebody signs who has nothing else of the registry.
package struct LooseMetadata: Sendable {
    /// The type: `root` or `targets`.
    package let type: String
    /// The version.
    package let version: Int
    /// The document with the new signatures.
    package let bytes: [UInt8]

    /// Adds signatures to a document.
    ///
    /// - Parameters:
    ///   - bytes: root or targets metadata.
    ///   - keys: the keys; the document may list others.
    /// - Throws: ``ZooError`` as ``SignedDocument/init(parsing:)``, also for a timestamp or a snapshot, which no
    ///   person signs; `trust.keys-invalid` or a `key.*` code.
    package init(signing bytes: [UInt8], with keys: [PrivateKey]) throws(ZooError) {
        func signed<Content>(_ content: Content.Type) throws(ZooError) -> MetadataDraft<Content> {
            var draft = try MetadataDraft<Content>(parsing: bytes)
            for key in keys { try draft.sign(with: key) }
            return draft
        }
        if let root = try? SignedDocument<RootMetadata>(parsing: bytes) {
            (type, version) = (RootMetadata.type, root.content.header.version)
            self.bytes = try signed(RootMetadata.self).bytes
        } else {
            let draft = try signed(TargetsMetadata.self)
            (type, version) = (TargetsMetadata.type, draft.content.header.version)
            self.bytes = draft.bytes
        }
    }
}
