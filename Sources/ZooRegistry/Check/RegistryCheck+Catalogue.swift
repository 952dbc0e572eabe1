// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension RegistryCheck {
    /// Compares the catalogue with the index documents.
    func checkCatalogue(
        _ indexes: IndexDocuments,
        _ referenced: inout [ContentDigest: Int]
    ) throws -> [Finding] {
        var latest: [ModelName: RegistryCatalogue.Summary] = [:]
        var findings: [Finding] = []
        for segment in try documents.catalogue()?.segments ?? [] {
            referenced[segment.digest] = segment.size
            do throws(ZooError) {
                for entry in try documents.entries(of: segment) {
                    latest[entry.name] = entry.summary
                }
            } catch {
                findings.append(
                    Finding(
                        error.code,
                        path: RegistryLayout.blob(segment.digest),
                        message: "a segment of the catalogue cannot be read: \(error.message)",
                        remedy: "run 'ami-zoo registry index \(root)'"
                    )
                )
            }
        }
        for name in Set(latest.keys).union(indexes.read.keys).subtracting(indexes.broken).sorted() {
            // A release that cannot be read is a finding of its own.
            guard let expected = try? documents.catalogueEntry(of: name) else { continue }
            let isCurrent =
                expected.summary.map { latest[name]?.agrees(with: $0) == true }
                ?? (latest[name] == nil)
            guard !isCurrent else { continue }
            findings.append(
                Finding(
                    .catalogueStale,
                    .warning,
                    path: RegistryLayout.catalogue,
                    message: "the catalogue does not have the current state of '\(name)'",
                    remedy: "run 'ami-zoo registry index \(root)'"
                )
            )
        }
        return findings
    }
}
