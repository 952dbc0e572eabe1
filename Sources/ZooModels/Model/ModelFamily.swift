// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore

/// A kind of model this program can run, and how to recognise and load it.
public struct ModelFamily: Sendable {
    /// The stable name of a family, as release records state it.
    public struct ID: Hashable, Sendable, CustomStringConvertible {
        /// The text form.
        public let rawValue: String

        /// Names a family.
        public init(_ rawValue: String) { self.rawValue = rawValue }

        /// The text form.
        public var description: String { rawValue }
    }

    /// The stable name.
    public let id: ID
    /// The name people use.
    public let title: String
    /// The values of `model_type` in `config.json` that mean this family.
    public let modelTypes: [String]
    /// Loads a model folder of this family.
    private let loader: @Sendable (ModelFolder) throws(ZooError) -> any JEPAModel

    /// All families.
    ///
    /// To add one, add a folder in `Families` and a line here.
    public static let all: [ModelFamily] = [.vjepa2, .vjepa21, .ijepa, .vjepa]

    init(
        id: ID,
        title: String,
        modelTypes: [String],
        loader: @escaping @Sendable (ModelFolder) throws(ZooError) -> any JEPAModel
    ) {
        self.id = id
        self.title = title
        self.modelTypes = modelTypes
        self.loader = loader
    }

    /// Finds the family of a model folder: `config.json` says it with `model_type`.
    ///
    /// - Throws: ``ZooError`` with code `model.family-unknown`, `model.configuration-invalid` or
    ///   `io.*`.
    public static func detect(folder path: String) throws(ZooError) -> ModelFamily {
        try detect(ModelFolder(path))
    }

    /// Loads a model folder of any family: `config.json` and the weights beside it.
    ///
    /// - Throws: ``ZooError`` with a `model.*`, `checkpoint.*` or `io.*` code.
    public static func load(folder path: String) throws(ZooError) -> any JEPAModel {
        let folder = try ModelFolder(path)
        return try detect(folder).loader(folder)
    }

    private static func detect(_ folder: ModelFolder) throws(ZooError) -> ModelFamily {
        guard case .string(let type)? = folder.configuration.value("model_type") else {
            throw ZooError(
                .familyUnknown,
                "the configuration in '\(folder.path)' has no 'model_type'"
            )
        }
        guard let family = all.first(where: { $0.modelTypes.contains(type) }) else {
            let known = all.flatMap(\.modelTypes).map { "'\($0)'" }.joined(separator: ", ")
            throw ZooError(
                .familyUnknown,
                "the model in '\(folder.path)' is of type '\(type.prefix(80))'",
                remedy: "the types that run are \(known)"
            )
        }
        return family
    }
}
