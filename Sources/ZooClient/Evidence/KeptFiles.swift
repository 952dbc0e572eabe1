// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// The files of a folder of attachments while they are read.
struct KeptFiles {
    private let folder: String
    private let repair: String
    private var contents: [ContentDigest: [UInt8]] = [:]
    /// What the registry listed; nil in a folder of a program that did not record it, and when it cannot be read.
    private var list: AttachmentList?
    private var findings: [Finding] = []
    /// What is wrong with files, by their names.
    private var wrong: [String: ZooError] = [:]
    private var unreadable: [KeptAttachments.Unreadable] = []
    private var total = 0

    init(in folder: String, repair: String) {
        self.folder = folder
        self.repair = repair
    }

    private static func path(_ name: String) -> String {
        "\(InstalledRelease.attachmentsFolder)/\(name)"
    }

    private mutating func refuse(_ name: String, _ error: ZooError) {
        findings.append(
            Finding(error.code, path: Self.path(name), message: error.message, remedy: repair)
        )
        wrong[name] = error
    }

    /// Reads a file and compares its bytes with its name.
    mutating func read(_ name: String) {
        do throws(ZooError) {
            // Another program may have removed it.
            guard let bytes = try bytes(of: name) else { return }
            if name == AttachmentList.name {
                list = try AttachmentList(canonical: bytes)
                return
            }
            let digest = ContentDigest(of: bytes)
            guard digest.hex == name else {
                throw ZooError(
                    .attachmentChanged,
                    "the bytes of '\(Self.path(name))' have the digest \(digest), which is not its name"
                )
            }
            total += bytes.count
            contents[digest] = bytes
        } catch {
            refuse(name, error)
        }
    }

    private func bytes(of name: String) throws(ZooError) -> [UInt8]? {
        let (path, title) = ("\(folder)/\(Self.path(name))", "'\(Self.path(name))'")
        guard let status = try FileSystem.status(path) else { return nil }
        guard status.kind == .file else {
            throw ZooError(.attachmentChanged, "\(title) is not a regular file")
        }
        let limit = name == AttachmentList.name ? AttachmentList.limit : AttachmentLimits.blob
        guard status.size <= limit else {
            throw ZooError(
                .attachmentTooLarge,
                "\(title) has \(status.size) bytes, and at most \(limit) are read"
            )
        }
        guard total + status.size <= AttachmentLimits.total else {
            throw ZooError(
                .attachmentTooLarge,
                "with \(title) the attachments have more than \(ByteCount(AttachmentLimits.total))"
            )
        }
        return try FileSystem.document(path, limit: limit)
    }

    /// Joins the files to attachments of a release.
    mutating func attachments(of release: ContentDigest) -> KeptAttachments {
        let manifests = manifests(of: release)
        var kept: [ReleaseAttachment] = []
        for manifest in manifests {
            do throws(ZooError) {
                kept.append(try ReleaseAttachment(manifest, contents))
            } catch {
                let wrong = wrong
                let damage = manifest.blobs.compactMap { wrong[$0.digest.hex] }.first
                if damage == nil { refuse(manifest.digest.hex, error) }
                unreadable.append(.init(type: manifest.type, error: damage ?? error))
            }
        }
        let read = Set(manifests.flatMap { [$0.digest.hex] + $0.blobs.map(\.digest.hex) })
        if list == nil {
            // Which attachments need a file is unknown.
            for (name, error) in wrong.sorted(by: { $0.key < $1.key }) where !read.contains(name) {
                unreadable.append(.init(type: nil, error: error))
            }
        }
        for name in contents.keys.map(\.hex).sorted()
        where !read.contains(name) && wrong[name] == nil {
            findings.append(
                Finding(
                    .fileUnlisted,
                    .warning,
                    path: Self.path(name),
                    message: "'\(Self.path(name))' belongs to no attachment of the release",
                    remedy: repair
                )
            )
        }
        return KeptAttachments(attachments: kept, findings: findings, unreadable: unreadable)
    }

    /// The manifests of attachments, by digest.
    private mutating func manifests(of release: ContentDigest) -> [AttachmentManifest] {
        guard let list else { return foundManifests(of: release) }
        var manifests: [AttachmentManifest] = []
        for entry in list.entries {
            let name = entry.digest.hex
            do throws(ZooError) {
                if let error = wrong[name] { throw error }
                guard let bytes = contents[entry.digest] else {
                    throw ZooError(
                        .attachmentChanged,
                        "'\(Self.path(name))' is missing, and '\(AttachmentList.name)' lists it"
                    )
                }
                manifests.append(try AttachmentManifest(bytes, of: release))
            } catch {
                if wrong[name] == nil { refuse(name, error) }
                unreadable.append(.init(type: entry.type, error: error))
            }
        }
        return manifests
    }

    /// Every manifest about the release, where nothing says which of them the registry listed.
    private mutating func foundManifests(of release: ContentDigest) -> [AttachmentManifest] {
        var manifests: [AttachmentManifest] = []
        var others: [(name: String, error: ZooError)] = []
        for (digest, bytes) in contents {
            guard let manifest = try? ArtifactManifest(parsing: bytes), manifest.subject != nil
            else { continue }
            do throws(ZooError) {
                manifests.append(try AttachmentManifest(manifest, bytes, of: release))
            } catch {
                others.append((digest.hex, error))
            }
        }
        let named = Set(manifests.flatMap(\.blobs).map(\.digest.hex))
        // A layer may be a manifest itself; of something else only a file that no attachment names is refused.
        for (name, error) in others.sorted(by: { $0.name < $1.name }) where !named.contains(name) {
            refuse(name, error)
        }
        return manifests.sorted { $0.digest < $1.digest }
    }
}
