// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A release record in the making: what somebody says about a model, and what its files say.
package struct RecordDraft: Sendable {
    /// One file of the folder of a model or data set.
    package struct File: Sendable {
        /// Its path in the folder.
        package let path: ReleasePath
        /// Its bytes.
        package let size: Int
        /// The digest of its content.
        package let digest: ContentDigest
        /// Whether it holds tensors; those files travel in an archive of their own.
        package let holdsTensors: Bool

        /// Describes a file.
        package init(path: ReleasePath, size: Int, digest: ContentDigest, holdsTensors: Bool) {
            self.path = path
            self.size = size
            self.digest = digest
            self.holdsTensors = holdsTensors
        }
    }

    /// What reading the weights told about one component.
    package struct ComponentFacts: Sendable, Equatable {
        /// How many tensors it has.
        package let tensors: Int
        /// How many numbers they hold.
        package let parameters: Int
        /// The types they are stored in.
        package let dtypes: [String]
        /// The tensor fingerprint.
        package let fingerprint: ContentDigest

        /// Facts about a component.
        package init(
            tensors: Int,
            parameters: Int,
            dtypes: [String],
            fingerprint: ContentDigest
        ) {
            self.tensors = tensors
            self.parameters = parameters
            self.dtypes = dtypes
            self.fingerprint = fingerprint
        }
    }

    /// The name of a record that lies in a model folder which is not a release yet.
    package static let fileName = "release.json"
    /// The archive of everything that describes the model or data set.
    static let documentsArchive = "documents"
    /// The archive of files that hold tensors.
    private static let weightsArchive = "weights"

    private let description: JSONObject
    private let configuration: JSONValue?
    private let files: [File]
    private let components: [String: ComponentFacts]

    /// A draft.
    ///
    /// - Parameters:
    ///   - description: the fields that a person, or a conversion, decides.
    ///   - configuration: the architecture's configuration, when `description` has none.
    ///   - files: every file of the model folder.
    ///   - components: facts by component name.
    package init(
        description: JSONObject,
        configuration: JSONValue?,
        files: [File],
        components: [String: ComponentFacts]
    ) {
        self.description = description
        self.configuration = configuration
        self.files = files
        self.components = components
    }

    /// The document, which ``ReleaseRecord`` may still refuse.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`, or `pack.description-invalid` for a
    ///   component without tensors.
    package func document() throws(ZooError) -> JSONValue {
        var architecture = try description.object("architecture").members
        if let configuration { architecture["configuration"] = configuration }
        var members = description.members
        members["format"] = .string(ReleaseRecord.format)
        members["requires"] = members["requires"] ?? []
        members["compatibility"] = members["compatibility"] ?? ["reader": "0.1.0"]
        members["evaluation"] = members["evaluation"] ?? []
        members["architecture"] = .object(architecture)
        var described: [JSONValue] = []
        for object in try description.objects("components", maximum: 256) {
            described.append(try component(object))
        }
        members["components"] = .array(described)
        members["files"] = Self.listing(files) {
            $0.holdsTensors ? Self.weightsArchive : Self.documentsArchive
        }
        return .object(members)
    }

    /// The field `files` of a record, with the place of each file in its archive.
    static func listing(_ files: [File], archive: (File) -> String) -> JSONValue {
        var offsets: [ReleasePath: Int] = [:]
        for (_, members) in Dictionary(grouping: files, by: archive) {
            for member in ArchiveLayout(files: members.map { ($0.path, $0.size) }).members {
                offsets[member.path] = member.contentOffset
            }
        }
        return .array(
            files.map { file in
                [
                    "path": .string(file.path.text), "size": .integer(file.size),
                    "digest": .string(file.digest.description), "archive": .string(archive(file)),
                    "offset": .integer(offsets[file.path] ?? 0),
                ]
            }
        )
    }

    private func component(_ object: JSONObject) throws(ZooError) -> JSONValue {
        let name = try object.string("name")
        guard let facts = components[name] else {
            throw ZooError(
                .descriptionInvalid,
                "component '\(name)' has no tensors in its files",
                remedy: "check 'files' and 'prefix' of the component in the description"
            )
        }
        var members = object.members
        members["prefix"] = members["prefix"] ?? ""
        members["tensors"] = .integer(facts.tensors)
        members["parameters"] = .integer(facts.parameters)
        members["dtypes"] = .array(facts.dtypes.map { .string($0) })
        members["fingerprint"] = .string(facts.fingerprint.description)
        return .object(members)
    }
}
