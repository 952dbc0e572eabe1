// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ZooError.Code {
    /// No environment variable says where the local store is.
    static let noHome = Self("environment.no-home", .inputOutput)
    /// Inputs give features of different shapes, which do not fit into one tensor.
    static let inputShapesDiffer = Self("input.shapes-differ", .badData)
    /// An input is of a kind that the command or the model cannot use.
    static let inputUnsuitable = Self("input.unsuitable", .badData)
    /// A path cannot be written to: its ending has no meaning, or something that is read lies there.
    static let outputUnsuitable = Self("output.unsuitable", .usage)
}
