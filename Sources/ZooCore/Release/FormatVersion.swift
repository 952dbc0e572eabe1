// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The versions of a document's format that this program reads; it writes the last.
public enum FormatVersion: Int, Sendable, CaseIterable {
    /// The first version.
    case one = 1
    /// Inputs in fields, attachments, data sets.
    case two

    /// The version that is written.
    static let current = FormatVersion.two

    /// The name of a format in this version, such as `ami-zoo.release/2`.
    func name(_ format: String) -> String { "\(format)/\(rawValue)" }
}

extension JSONObject {
    /// The version of a document.
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
