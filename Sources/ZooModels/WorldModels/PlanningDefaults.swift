// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How upstream plans with the models of a family.
public struct PlanningDefaults: Hashable, Sendable {
    /// How actions are searched.
    public enum Search: Hashable, Sendable {
        /// Moves of an arm: ``ArmPlanner``.
        case arm(ArmPlanner.Settings)
        /// Actions of any kind: ``CrossEntropyPlanner``.
        case general(CrossEntropyPlanner.Settings)
    }

    /// How near to the goal is near.
    public let distance: LatentDistance
    /// The most frames that a prediction is made from; nil for as many as the model takes.
    public let window: Int?
    /// How actions are searched.
    public let search: Search

    /// Names defaults.
    public init(distance: LatentDistance, window: Int? = nil, search: Search) {
        self.distance = distance
        self.window = window
        self.search = search
    }

    /// JEPA-WM and DINO-WM: contexts of two frames, shorter than in training. Models without
    /// proprioception that move an arm are those of DROID.
    ///
    /// Source: facebookresearch/jepa-wms `evals/simu_env_planning/planning` and its configurations.
    static func jepaWM(_ sizes: LatentShape) -> PlanningDefaults {
        let hasStates = sizes.stateWidth > 0
        let isArm = sizes.actionWidth == Pose.width
        return PlanningDefaults(
            distance: hasStates ? .jepaWM : LatentDistance(.meanSquare),
            window: 2,
            search: .general(isArm ? .jepaWMDroid : .jepaWM)
        )
    }
}
