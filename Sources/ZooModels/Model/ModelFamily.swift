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
    /// Loads the encoder of a model folder; nil for families whose encoder is another project's.
    private let loader: Loader?
    /// Loads what predicts under actions; nil for families without.
    private let worldModelLoader: WorldModelLoader?

    typealias Loader = @Sendable (ModelFolder) throws(ZooError) -> any JEPAModel
    typealias WorldModelLoader =
        @Sendable (ModelFolder) throws(ZooError) -> any ActionConditionedModel

    /// Whether models of the family predict under actions: ``loadWorldModel(folder:)``.
    public var predictsUnderActions: Bool { worldModelLoader != nil }

    /// All families.
    ///
    /// To add one, add a folder in `Families` and a line here.
    public static let all: [ModelFamily] = [
        .vjepa2, .vjepa21, .vjepa2AC, .ijepa, .vjepa, .jepaWM, .dinoWM, .lewm,
    ]

    init(
        id: ID,
        title: String,
        modelTypes: [String],
        loader: Loader? = nil,
        worldModelLoader: WorldModelLoader? = nil
    ) {
        precondition(loader != nil || worldModelLoader != nil, "\(id) cannot be loaded")
        self.id = id
        self.title = title
        self.modelTypes = modelTypes
        self.loader = loader
        self.worldModelLoader = worldModelLoader
    }

    /// Finds the family of a model folder: `config.json` says it with `model_type`.
    ///
    /// - Throws: `ZooError` with code `model.family-unknown`, `model.configuration-invalid` or
    ///   `io.*`.
    public static func detect(folder path: String) throws(ZooError) -> ModelFamily {
        try detect(ModelFolder(path))
    }

    /// Loads a model folder of any family that has an encoder: `config.json` and the weights beside
    /// it.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` when the family has no encoder of its own;
    ///   otherwise a `model.*`, `checkpoint.*` or `io.*` code.
    public static func load(folder path: String) throws(ZooError) -> any JEPAModel {
        let folder = try ModelFolder(path)
        let family = try detect(folder)
        guard let loader = family.loader else {
            throw ZooError(
                .modelUnsupported,
                "'\(path)' is a \(family.title) predictor, and its encoder is another model",
                remedy: "encode with the model that the predictor was trained on; its card names it"
            )
        }
        return try loader(folder)
    }

    /// Loads a model folder of any family that predicts under actions: `config.json` and the weights
    /// beside it.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` when the family takes no actions;
    ///   otherwise a `model.*`, `checkpoint.*` or `io.*` code.
    public static func loadWorldModel(
        folder path: String
    ) throws(ZooError) -> any ActionConditionedModel {
        let folder = try ModelFolder(path)
        let family = try detect(folder)
        guard let loader = family.worldModelLoader else {
            let known = all.filter { $0.worldModelLoader != nil }.map(\.title)
            throw ZooError(
                .modelUnsupported,
                "'\(path)' is a model of \(family.title), which takes no actions",
                remedy: known.isEmpty ? nil : "models of \(known.joined(separator: ", ")) do"
            )
        }
        return try loader(folder)
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
