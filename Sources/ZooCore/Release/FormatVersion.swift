// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The format versions that this program reads; it writes the latest.
public enum FormatVersion: Int, Sendable, CaseIterable {
    /// The first version.
    case one = 1
    /// The second version: structured inputs, attachments and data sets.
    case two

    /// The version that this program writes.
    static let current = FormatVersion.two

    /// The versioned name of a format, such as `ami-zoo.release/2`.
    func name(_ format: String) -> String { "\(format)/\(rawValue)" }
}

extension JSONObject {
    /// Reads the format version of a document.
    ///
    /// - Throws: ``ZooError`` with code `format.unknown`.
    func formatVersion(_ format: String) throws(ZooError) -> FormatVersion {
        for version in FormatVersion.allCases where value("format") == .string(version.name(format))
        {
            return version
        }
        try requireFormat(FormatVersion.current.name(format))
        return .current
    }
}
