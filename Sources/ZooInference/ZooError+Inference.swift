// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// The features of the inputs have different shapes and cannot be joined into one tensor.
    public static let inputShapesDiffer = Self("input.shapes-differ", .badData)
    /// The command or the model cannot use this kind of input.
    public static let inputUnsuitable = Self("input.unsuitable", .badData)
    /// The output path has an unsupported extension, or is inside an input.
    public static let outputUnsuitable = Self("output.unsuitable", .usage)
}
