// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore

/// A family of models that this program runs: how to recognise and load one, and how to plan with it.
public struct ModelFamily: Sendable {
    /// The stable name.
    public let id: FamilyID
    /// Search settings that upstream uses besides ``ActionConditionedModel/planning``.
    public let planningPresets: [PlanningPreset]
    /// Loads the encoder of a model folder, and with it the predictor of masked tokens; nil for families
    /// whose encoder is another project's.
    private let loader: Loader?
    /// Loads what predicts under actions; nil for families without.
    private let worldModelLoader: WorldModelLoader?

    typealias Loader = @Sendable (ModelFolder) throws(ZooError) -> (any JEPAEncoder)?
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

    /// The family of a name; nil when this program cannot run its models by themselves.
    public init?(_ id: FamilyID) {
        guard let family = Self.all.first(where: { $0.id == id }) else { return nil }
        self = family
    }

    init(
        _ id: FamilyID,
        planningPresets: [PlanningPreset] = [],
        loader: Loader? = nil,
        worldModelLoader: WorldModelLoader? = nil
    ) {
        precondition(loader != nil || worldModelLoader != nil, "\(id) cannot be loaded")
        self.id = id
        self.planningPresets = planningPresets
        self.loader = loader
        self.worldModelLoader = worldModelLoader
    }

    /// Finds the family of a model folder by `model_type` in its `config.json`.
    ///
    /// - Throws: `ZooError` with code `model.family-unknown`, `model.configuration-invalid` or
    ///   `io.*`.
    public static func detect(folder path: String) throws(ZooError) -> ModelFamily {
        try detect(ModelFolder(path))
    }

    /// Loads a model folder of any family that has an encoder: `config.json` and the weights beside
    /// it.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` when the release has no encoder of its own;
    ///   otherwise a `model.*`, `checkpoint.*` or `io.*` code.
    public static func load(folder path: String) throws(ZooError) -> any JEPAEncoder {
        let folder = try ModelFolder(path)
        let family = try detect(folder)
        guard let encoder = try family.loader?(folder) else {
            throw ZooError(
                .modelUnsupported,
                "'\(path)' is a \(family.id.title) predictor, and its encoder is another model",
                remedy: "encode with the model that the predictor was trained on; its card names it"
            )
        }
        return encoder
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
            let known = all.filter { $0.worldModelLoader != nil }.map(\.id.title)
            throw ZooError(
                .modelUnsupported,
                "'\(path)' is a model of \(family.id.title), which takes no actions",
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
        guard let family = all.first(where: { $0.id.modelType == type }) else {
            let known = all.map { "'\($0.id.modelType)'" }.joined(separator: ", ")
            throw ZooError(
                .familyUnknown,
                "the model in '\(folder.path)' is of type '\(type.prefix(80))'",
                remedy: "the types that run are \(known)"
            )
        }
        return family
    }
}
