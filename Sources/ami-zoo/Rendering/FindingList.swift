// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// Renders findings as text.
enum FindingList {
    private static let shown = 20

    /// One paragraph for each finding; a long list is cut, because its findings tend to be similar.
    static func text(_ findings: [Finding]) -> String {
        var paragraphs = findings.prefix(shown).map { finding in
            let line = "\(finding.severity.rawValue): \(finding.message) [\(finding.code)]"
            return finding.remedy.map { "\(line)\n  remedy: \($0)" } ?? line
        }
        if findings.count > shown {
            paragraphs.append("and \(findings.count - shown) more; --json lists them all")
        }
        return paragraphs.joined(separator: "\n")
    }
}
