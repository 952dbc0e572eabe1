// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooTensor

/// The position and rotation of the end effector of a robot arm, and the state of its gripper.
///
/// An action is a change of the same seven values: positions and grippers are added, and the
/// rotation of the action is applied after that of the pose, about the fixed axes of the base.
///
/// Source: facebookresearch/vjepa2 `notebooks/utils/mpc_utils.py`, `compute_new_pose` and
/// `poses_to_diff`, which use `scipy.spatial.transform.Rotation` with the axes "xyz".
public struct Pose: Hashable, Sendable {
    /// The number of values of a pose.
    public static let width = 7

    /// x, y and z, in metres.
    public var position: SIMD3<Double>
    /// Angles about the fixed axes x, then y, then z, in radians: the rotation is Rz · Ry · Rx.
    public var angles: SIMD3<Double>
    /// 0 when open, 1 when closed.
    public var gripper: Double

    /// Creates a pose from its parts.
    public init(position: SIMD3<Double>, angles: SIMD3<Double> = .zero, gripper: Double = 0) {
        self.position = position
        self.angles = angles
        self.gripper = gripper
    }

    /// Creates a pose from seven values: x, y, z, three angles and the gripper.
    public init(_ values: some Collection<Float>) {
        precondition(values.count == Self.width, "a pose of \(values.count) numbers")
        let numbers = values.map(Double.init)
        position = SIMD3(numbers[0], numbers[1], numbers[2])
        angles = SIMD3(numbers[3], numbers[4], numbers[5])
        gripper = numbers[6]
    }

    /// The seven values: x, y, z, three angles and the gripper.
    public var values: [Float] {
        [position.x, position.y, position.z, angles.x, angles.y, angles.z, gripper].map(Float.init)
    }

    /// Returns the pose after an action; the gripper is clamped to 0 to 1.
    public func moved(by action: Pose) -> Pose {
        Pose(
            position: position + action.position,
            angles: (Quaternion(action.angles) * Quaternion(angles)).angles,
            gripper: min(max(gripper + action.gripper, 0), 1)
        )
    }

    /// Returns the action from this pose to another.
    public func change(to other: Pose) -> Pose {
        Pose(
            position: other.position - position,
            angles: (Quaternion(other.angles) * Quaternion(angles).inverse).angles,
            gripper: other.gripper - gripper
        )
    }

    /// Returns poses [.., 7] after actions of the same shape.
    package static func move(_ poses: Tensor, by actions: Tensor) -> Tensor {
        precondition(poses.shape == actions.shape)
        let (from, by) = (poses.values, actions.values)
        let moved = stride(from: 0, to: from.count, by: width).flatMap { first in
            Pose(from[first..<first + width]).moved(by: Pose(by[first..<first + width])).values
        }
        return Tensor(shape: poses.shape, values: moved)
    }
}

/// A rotation as a unit quaternion.
private struct Quaternion {
    let x, y, z, w: Double

    /// Rz(γ) · Ry(β) · Rx(α) for angles α, β, γ.
    init(_ angles: SIMD3<Double>) {
        let (cx, sx) = (cos(angles.x / 2), sin(angles.x / 2))
        let (cy, sy) = (cos(angles.y / 2), sin(angles.y / 2))
        let (cz, sz) = (cos(angles.z / 2), sin(angles.z / 2))
        x = sx * cy * cz - cx * sy * sz
        y = cx * sy * cz + sx * cy * sz
        z = cx * cy * sz - sx * sy * cz
        w = cx * cy * cz + sx * sy * sz
    }

    private init(x: Double, y: Double, z: Double, w: Double) {
        (self.x, self.y, self.z, self.w) = (x, y, z, w)
    }

    var inverse: Quaternion { Quaternion(x: -x, y: -y, z: -z, w: w) }

    /// Returns the rotation by `right`, then by `left`.
    static func * (left: Quaternion, right: Quaternion) -> Quaternion {
        Quaternion(
            x: left.w * right.x + left.x * right.w + left.y * right.z - left.z * right.y,
            y: left.w * right.y - left.x * right.z + left.y * right.w + left.z * right.x,
            z: left.w * right.z + left.x * right.y - left.y * right.x + left.z * right.w,
            w: left.w * right.w - left.x * right.x - left.y * right.y - left.z * right.z
        )
    }

    /// α and γ from −π to π, β from −π/2 to π/2.
    ///
    /// If β is within 1e-7 of ±π/2, α and γ rotate about the same axis; γ is then 0 and α the whole
    /// angle, as in scipy 1.17. Source: Bernardes and Viollet, "Quaternion to Euler angles
    /// conversion", PLoS ONE 17(11), 2022, as in scipy `spatial/transform/_rotation.pyx`.
    var angles: SIMD3<Double> {
        let half = (sum: atan2(x + z, w - y), difference: atan2(z - x, y + w))
        let second = 2 * atan2(hypot(y + w, z - x), hypot(w - y, x + z))
        let tolerance = 1e-7
        var (first, third) = (half.sum - half.difference, half.sum + half.difference)
        if abs(second) <= tolerance {
            (first, third) = (2 * half.sum, 0)
        } else if abs(second - .pi) <= tolerance {
            (first, third) = (-2 * half.difference, 0)
        }
        return SIMD3(first.wrapped, second - .pi / 2, third.wrapped)
    }
}

extension Double {
    /// The equivalent angle from −π to π, for angles from −3π to 3π.
    fileprivate var wrapped: Double {
        self < -.pi ? self + 2 * .pi : self > .pi ? self - 2 * .pi : self
    }
}
