// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// Inputs give features of different shapes, which do not fit into one tensor.
    public static let inputShapesDiffer = Self("input.shapes-differ", .badData)
    /// An input is of a kind that the command or the model cannot use.
    public static let inputUnsuitable = Self("input.unsuitable", .badData)
    /// A path cannot be written to: its ending has no meaning, or it names something that is read.
    public static let outputUnsuitable = Self("output.unsuitable", .usage)
}
