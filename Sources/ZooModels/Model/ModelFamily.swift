// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore

/// A supported family of models: how to detect and load a model, and its planning presets.
public struct ModelFamily: Sendable {
    /// The identifier.
    public let id: FamilyID
    /// Search settings that upstream uses besides ``ActionConditionedModel/planning``.
    public let planningPresets: [PlanningPreset]
    /// Loads the encoder of a model folder and its predictor of masked tokens; nil for families
    /// with an external encoder.
    private let loader: Loader?
    /// Loads the action-conditioned model; nil for families without one.
    private let worldModelLoader: WorldModelLoader?

    typealias Loader = @Sendable (ModelFolder) throws(ZooError) -> (any JEPAEncoder)?
    typealias WorldModelLoader =
        @Sendable (ModelFolder) throws(ZooError) -> any ActionConditionedModel

    /// Whether models of the family are action-conditioned; see ``loadWorldModel(folder:)``.
    public var predictsUnderActions: Bool { worldModelLoader != nil }

    /// All families.
    ///
    /// To add a family, add a folder in `Families` and a line here.
    public static let all: [ModelFamily] = [
        .vjepa2, .vjepa21, .vjepa2AC, .ijepa, .vjepa, .jepaWM, .dinoWM, .lewm, .seriesJEPA,
    ]

    /// Creates the family of an identifier; nil if its models cannot be run on their own.
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

    /// Detects the family of a model folder by `model_type` in its `config.json`.
    ///
    /// - Throws: `ZooError` with code `model.family-unknown`, `model.configuration-invalid` or
    ///   `io.*`.
    public static func detect(folder path: String) throws(ZooError) -> ModelFamily {
        try detect(ModelFolder(path))
    }

    /// Loads the encoder of a model folder, which holds `config.json` and the weights.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` if the release has no encoder; otherwise
    ///   a `model.*`, `checkpoint.*` or `io.*` code.
    public static func load(folder path: String) throws(ZooError) -> any JEPAEncoder {
        let folder = try ModelFolder(path)
        let family = try detect(folder)
        guard let encoder = try family.loader?(folder) else {
            throw ZooError(
                .modelUnsupported,
                "'\(path)' is a \(family.id.title) predictor without an encoder",
                remedy: "use the encoder that the predictor was trained on; its model card names it"
            )
        }
        return encoder
    }

    /// Loads the action-conditioned model of a model folder, which holds `config.json` and the
    /// weights.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` if the family takes no actions;
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
                "'\(path)' is a \(family.id.title) model, which takes no actions",
                remedy: known.isEmpty ? nil : "use a model of \(known.joined(separator: ", "))"
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
                "the model in '\(folder.path)' has the unsupported type '\(type.prefix(80))'",
                remedy: "use a model of one of these types: \(known)"
            )
        }
        return family
    }
}
