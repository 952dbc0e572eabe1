// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// A file with an attentive probe, as a lab published it.
///
/// A checkpoint says neither how many heads its probe has nor which blocks of the encoder it reads. The catalogue does, for
/// published files, which it knows by their names and by the number and shapes of their tensors.
package struct PublishedProbe: Sendable {
    /// The entry of the catalogue; the first of several whose probes are equal but for their weights.
    package let entry: CatalogueEntry
    private let source: ConversionSource
    private let plan: ConversionPlan
    private let options: ConversionOptions

    /// Opens a file.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - place: the file.
    ///   - entries: the entries of the catalogue.
    /// - Throws: ``ZooError`` with code `convert.probe-unknown` when no entry names such a probe, or
    ///   `import.counts-mismatch` when the file of that name holds something else; a `checkpoint.*` or `io.*` code.
    package init(_ place: FilePlace, among entries: [CatalogueEntry]) throws(ZooError) {
        let name = FileSystem.name(of: place.path)
        let named = entries.filter { entry in
            entry.family.isProbe && entry.files.contains { $0.name.isExactly(name) }
        }
        guard !named.isEmpty else {
            throw ZooError(
                .probeUnknown,
                "'\(place.path)' has the name of no published probe",
                remedy:
                    "convert it with 'ami-zoo convert FILE --to FOLDER', with --heads and --backbone-levels as it was "
                    + "trained, and give the folder"
            )
        }
        let source = try ConversionSource(place, backbone: nil)
        var failure: ZooError?
        for entry in named {
            let options = ConversionOptions().completed(by: entry)
            do throws(ZooError) {
                let plan = try source.plan(options)
                try plan.requireMatch(entry)
                (self.entry, self.source, self.plan, self.options) = (entry, source, plan, options)
                return
            } catch {
                failure = failure ?? error
            }
        }
        guard let failure, failure.code != .importCountsMismatch else {
            throw failure ?? ZooError(.probeUnknown, "'\(place.path)' is no probe")
        }
        throw ZooError(
            .importCountsMismatch,
            "'\(place.path)' is not '\(named[0].name)': \(failure.message)",
            remedy:
                "get the file again, or convert it with 'ami-zoo convert' if it is another probe of that name",
            cause: failure
        )
    }

    /// Writes it as a folder that `ami-zoo convert` could have written.
    ///
    /// - Parameter folder: the folder to create.
    /// - Throws: as ``Converter/write(to:)``.
    package func write(to folder: String) async throws {
        _ = try await Converter(
            plan: plan,
            sources: source.tensors,
            options: options,
            identity: ConversionIdentity(
                name: entry.name,
                version: try SemanticVersion(parsing: "1.0.0"),
                created: Timestamp(secondsSince1970: 0)
            ),
            dtype: nil
        ).write(to: folder)
    }
}
