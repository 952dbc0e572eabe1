// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// The statistics of the training data of a JEPA-WM or DINO-WM predictor.
///
/// The models take actions and proprioception that are standardised with these statistics.
///
/// Source: facebookresearch/jepa-wms `app/plan_common/datasets/__init__.py`, `DATA_STATS`, commit
/// `6eafb148`; rounded there to float32, as here.
public struct TrainingEnvironment: Hashable, Sendable {
    /// The upstream name, which is the suffix of release names, such as `jepa-wm-pusht`.
    public let name: String
    /// The mean and std of each dimension of an action.
    public let actions: Standardisation
    /// The mean and std of each dimension of proprioception.
    public let proprioception: Standardisation

    /// All upstream environments; values of real robots are not standardised.
    public static let all: [TrainingEnvironment] = [
        TrainingEnvironment(
            name: "metaworld",
            actions: Standardisation(
                mean: [0.0057235775, 0.15735652, -0.13964579, 0.19981939],
                std: [0.73592395, 0.73408043, 0.7182977, 0.7432057]
            ),
            proprioception: Standardisation(
                mean: [-0.002939211, 0.6544239, 0.15410054, 0.6402315],
                std: [0.10431359, 0.112305254, 0.07981759, 0.2613895]
            )
        ),
        TrainingEnvironment(
            name: "pusht",
            actions: Standardisation(
                mean: [-0.0087, 0.0068],
                std: [0.2019, 0.2002]
            ),
            proprioception: Standardisation(
                mean: [236.6155, 264.5674, -2.9303203, 2.5430791],
                std: [101.1202, 87.0112, 74.84556, 74.14009]
            )
        ),
        TrainingEnvironment(
            name: "pointmaze",
            actions: Standardisation(
                mean: [0.00007821339, 0.000600366],
                std: [0.576913, 0.5775879]
            ),
            proprioception: Standardisation(
                mean: [1.8130563, 1.9377128, -0.003927535, -0.019777978],
                std: [1.005501, 0.96300894, 1.680277, 1.9319308]
            )
        ),
        TrainingEnvironment(
            name: "wall",
            actions: Standardisation(
                mean: [-0.005564616, 0.013197819],
                std: [0.75233287, 0.7466898]
            ),
            proprioception: Standardisation(
                mean: [31.89451, 31.81402],
                std: [17.663523, 17.275167]
            )
        ),
        TrainingEnvironment(
            name: "droid",
            actions: .identity(width: 7),
            proprioception: .identity(width: 7)
        ),
        TrainingEnvironment(
            name: "robocasa",
            actions: .identity(width: 7),
            proprioception: .identity(width: 7)
        ),
    ]

    /// Returns the environment with a name.
    public static func named(_ name: String) -> TrainingEnvironment? {
        all.first { $0.name == name }
    }
}

/// Means and stds for standardisation.
public struct Standardisation: Hashable, Sendable {
    /// The mean of each dimension.
    public let mean: [Float]
    /// The std of each dimension, not 0.
    public let std: [Float]

    /// Creates a standardisation; `mean` and `std` must have the same length.
    public init(mean: [Float], std: [Float]) {
        precondition(mean.count == std.count && !mean.isEmpty && !std.contains(0))
        self.mean = mean
        self.std = std
    }

    /// Returns the identity: mean 0 and std 1.
    public static func identity(width: Int) -> Standardisation {
        Standardisation(
            mean: Array(repeating: 0, count: width),
            std: Array(repeating: 1, count: width)
        )
    }

    /// Computes (value − mean) / std.
    ///
    /// - Parameter numbers: [.., width], or several concatenated steps, such as the five of an
    ///   action.
    /// - Returns: the standardised values, in the same shape.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    public func standardised(_ numbers: Tensor) throws(ZooError) -> Tensor {
        try mapped(numbers) { ($0 - $1) / $2 }
    }

    /// Computes value · std + mean, the inverse of ``standardised(_:)``.
    ///
    /// - Parameter numbers: [.., width], or several concatenated steps.
    /// - Returns: the restored values, in the same shape.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    public func restored(_ numbers: Tensor) throws(ZooError) -> Tensor {
        try mapped(numbers) { $0 * $2 + $1 }
    }

    private func mapped(
        _ numbers: Tensor,
        _ change: (_ number: Float, _ mean: Float, _ std: Float) -> Float
    ) throws(ZooError) -> Tensor {
        let shape = numbers.shape
        guard shape.rank > 0, shape[shape.rank - 1].isMultiple(of: mean.count) else {
            throw ZooError(
                .inputShapeInvalid,
                "the last dimension of the shape \(shape) is not a multiple of \(mean.count)"
            )
        }
        let changed = numbers.values.enumerated().map { index, number in
            change(number, mean[index % mean.count], std[index % mean.count])
        }
        return Tensor(shape: shape, values: changed)
    }
}
