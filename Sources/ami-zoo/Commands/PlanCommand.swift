// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooDrawing
internal import ZooInference
internal import ZooModels
internal import ZooTensor

/// The name of a family's search settings.
struct PresetName: ExpressibleByArgument {
    static let allValueStrings = ModelFamily.all.flatMap(\.planningPresets).map(\.name)

    let text: String

    init?(argument: String) {
        guard Self.allValueStrings.contains(argument) else { return nil }
        text = argument
    }
}

/// The numbers of a state, separated by commas.
///
/// They are one argument, because the parser takes a separate negative number for an option.
struct StateNumbers: ExpressibleByArgument {
    let values: [Float]

    init?(argument: String) {
        let parts = argument.split(whereSeparator: { $0 == "," || $0 == " " })
        values = parts.compactMap { Float($0) }.filter(\.isFinite)
        guard !values.isEmpty, values.count == parts.count else { return nil }
    }
}

/// `ami-zoo plan`.
struct PlanCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Search for actions that lead from one observation to another.",
        discussion: """
            The input is two images (the start and the goal), or a .safetensors or .npz file with one \
            sample. The file holds the frames as 'observations' [1, frames, rows, columns, 3] of bytes, \
            'pixel_values' [1, frames, 3, rows, columns] after preprocessing, or 'latents' [1, frames, \
            tokens, width]. Models with states also need 'states' [1, frames, numbers], or the \
            'measurements' to compute them from. If more than the first frame is known, 'actions' \
            [1, frames - 2, numbers] gives the actions between the known frames. The last frame is \
            the goal.

            The search is the cross-entropy method with upstream's settings for the model. The same \
            seed gives the same plan.
            """
    )

    @Argument(help: "An installed model or a model folder.")
    var model: String

    @Argument(help: "Two images, or a tensor file.")
    var inputs: [String]

    @Option(
        help:
            "The settings of the search for V-JEPA 2-AC, as in upstream's notebook, class WorldModel or function cem. Default: the notebook."
    )
    var preset: PresetName?

    @Option(help: "The number of actions in the plan.")
    var horizon: Int?

    @Option(help: "The number of action sequences sampled per iteration.")
    var samples: Int?

    @Option(help: "The number of best action sequences that update the distribution.")
    var elites: Int?

    @Option(help: "The number of iterations.")
    var iterations: Int?

    @Option(help: "The largest number of frames that a prediction uses.")
    var window: Int?

    @Option(help: "The random seed of the search.")
    var seed: UInt64 = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "With images: the robot state for both, such as x,y,z, three angles and the gripper.",
            valueName: "numbers"
        )
    )
    var state: StateNumbers?

    @Flag(help: "Plan from the last frame to the first.")
    var reverse = false

    @Option(help: "The .svg file to draw the energies of a grid of moves to (V-JEPA 2-AC).")
    var svg: String?

    @Option(help: "The number of moves along each axis of the grid, 2 to 100. Default: 5.")
    var grid: Int?

    @Flag(help: "Compute the energies of the grid without searching for a plan.")
    var landscapeOnly = false

    @Option(help: OrientationOption.help)
    var orientation = OrientationOption.upright

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if !(1...2).contains(inputs.count) {
            throw ValidationError(
                "give two images, or one tensor file"
                    + (state == nil
                        ? "" : "; separate the numbers of --state by commas, as in 0.4,-0.1,0.3")
            )
        }
        if inputs.count == 1, state != nil {
            throw ValidationError("--state is for images; a tensor file holds its own 'states'")
        }
        if let grid, !(2...100).contains(grid) {
            throw ValidationError("--grid must be 2 to 100")
        }
        if grid != nil, svg == nil, !landscapeOnly {
            throw ValidationError("--grid requires --svg or --landscape-only")
        }
        if let window, window < 1 { throw ValidationError("--window must be at least 1") }
        if let samples, !(1...100_000).contains(samples) {
            throw ValidationError("--samples must be 1 to 100000")
        }
        if landscapeOnly, svg == nil, !output.json {
            throw ValidationError("--landscape-only requires --svg or --json")
        }
    }

    func report() async throws -> PlanOutcome {
        let computation = try ModelComputation(model, compute, output, stage: "plan")
        let picture = try computation.picture(svg, of: inputs)
        let result = try await computation.run { [self] in
            let view = computation.progress
            return try await WorldModelRun(
                folder: computation.location.folder,
                onNote: { view.note($0) }
            ).plan(inputs, settings, on: computation.pool) { view.show($0) }
        }
        if let picture, let landscape = result.landscape {
            let drawing = EnergyDrawing(
                landscape: landscape,
                truth: result.trueAction,
                planned: result.firstMove
            ).svg
            try await computation.write { try picture.write(Array(drawing.utf8)) }
        }
        return PlanOutcome(
            result: result,
            picture: picture?.path,
            seed: seed,
            time: computation.time
        )
    }

    private var settings: WorldModelRun.PlanSettings {
        WorldModelRun.PlanSettings(
            state: state?.values,
            isReversed: reverse,
            orientation: orientation.value,
            preset: preset?.text,
            size: PlanningDefaults.Search.Size(
                horizon: horizon,
                samples: samples,
                elites: elites,
                iterations: iterations
            ),
            window: window,
            seed: seed,
            grid: svg != nil || landscapeOnly ? grid ?? 5 : nil,
            isSearching: !landscapeOnly
        )
    }
}

struct PlanOutcome: Report {
    let result: WorldModelRun.Result
    let picture: String?
    let seed: UInt64
    let time: Duration

    private static func numbers(_ values: [Float]) -> JSONValue {
        .array(values.map(JSONValue.float))
    }

    /// The rows of [rows, columns].
    private static func rows(_ tensor: Tensor) -> [[Float]] {
        let (values, width) = (tensor.values, tensor.shape[1])
        return (0..<tensor.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["seconds": .number(time.secondsToMilliseconds)]
        if let plan = result.plan {
            members["actions"] = .array(Self.rows(plan.actions).map(Self.numbers))
            members["iterations"] = .array(
                plan.iterations.map { step in
                    [
                        "leastEnergy": .float(step.leastEnergy),
                        "eliteEnergy": .float(step.eliteEnergy),
                    ]
                }
            )
            members["seed"] = .string("\(seed)")
        }
        if let landscape = result.landscape {
            members["landscape"] = [
                "moves": .array(landscape.moves.map(JSONValue.number)),
                "energies": Self.numbers(landscape.energies),
                "leastAction": Self.numbers(landscape.leastAction),
            ]
        }
        if let truth = result.trueAction { members["trueAction"] = Self.numbers(truth.values) }
        if let picture { members["svg"] = .string(picture) }
        return .object(members)
    }

    var text: String {
        var lines: [String] = []
        if let plan = result.plan {
            let rows = Self.rows(plan.actions)
            let isPose = plan.actions.shape[1] == Pose.width
            let names =
                isPose
                ? ["X", "Y", "Z", "TURN X", "TURN Y", "TURN Z", "GRIPPER"]
                : (0..<plan.actions.shape[1]).map { "\($0)" }
            lines.append(
                Table.text(
                    ["STEP"] + names,
                    rows.enumerated().map { ["\($0 + 1)"] + $1.map(\.fixed4) }
                )
            )
            let energies = plan.iterations.map(\.eliteEnergy.fixed4).joined(separator: ", ")
            lines.append("mean energy of the elites per iteration: \(energies)")
        }
        if let landscape = result.landscape {
            let least = landscape.leastAction.prefix(3).map(\.fixed4).joined(separator: ", ")
            lines.append("lowest energy of \(landscape.energies.count) moves: \(least)")
        }
        if let truth = result.trueAction {
            let moves = truth.values.prefix(3).map(\.fixed4).joined(separator: ", ")
            lines.append("true move: \(moves)")
        }
        lines.append("(\(time.shortText))")
        if let picture { lines.append("drawn in \(picture)") }
        return lines.joined(separator: "\n")
    }
}
