// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension Unicode.Scalar {
    /// Whether this is a control character.
    ///
    /// The general category Cc never changes (Unicode Standard, section 23.1), and looking a category up took a
    /// third of the time of reading a record.
    package var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
