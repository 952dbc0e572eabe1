// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension JSONValue {
    /// The shortest decimal number that identifies the value.
    static func float(_ value: Float) -> JSONValue { .number(Double("\(value)") ?? Double(value)) }
}
