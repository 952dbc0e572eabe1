// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore

/// `ami-zoo show`.
struct ShowCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the release record of a model without downloading its weights."
    )

    @Argument(help: "The model, such as ami/ball-drop or ami/ball-drop:1.0.0.")
    var reference: String

    @OptionGroup var registry: RegistryOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> ShowOutcome {
        let reference = try ModelReference(parsing: reference)
        let source = try Surroundings().registry(registry, network, host: reference.host)
        let release = try await source.resolve(reference)
        return ShowOutcome(
            digest: release.digest,
            record: release.record,
            transfer: release.manifest.transferSize,
            yank: release.yank
        )
    }
}

struct ShowOutcome: Report {
    let digest: ContentDigest
    let record: ReleaseRecord
    let transfer: Int
    let yank: IndexDocument.Yank?

    var json: JSONValue {
        // Cannot fail, because the record was parsed from these bytes.
        let document = (try? JSONValue(parsing: record.canonicalBytes)) ?? .null
        return [
            "reference": .string("\(record.name):\(record.version)"),
            "digest": .string(digest.description),
            "transferBytes": .integer(transfer),
            "yanked": yank.map { .string($0.reason) } ?? .null,
            "record": document,
        ]
    }

    var text: String {
        var lines = [
            "\(record.name):\(record.version)", "  \(record.summary)", "",
            "  digest      \(digest)",
            "  family      \(record.architecture.family), \(record.architecture.variant)",
            "  input       \(input)",
            "  licence     \(record.licence)",
            "  authors     \(record.authors.joined(separator: ", "))",
            "  created     \(record.created)",
            "  lineage     \(record.lineage.kind.rawValue)",
            "  size        \(ByteCount(record.totalSize)) in \(record.files.count) files, "
                + "\(ByteCount(transfer)) to transfer",
        ]
        if let yank { lines.append("  WITHDRAWN   \(yank.reason) (\(yank.date))") }
        lines += ["", "  components"]
        lines += record.components.map { part in
            "    \(part.name): \(part.parameters) parameters in \(part.tensors) tensors "
                + "(\(part.dtypes.joined(separator: ", "))), fingerprint \(part.fingerprint.short)"
        }
        guard !record.evaluation.isEmpty else { return lines.joined(separator: "\n") }
        lines += ["", "  evaluation (claims of the publisher, not reproduced)"]
        lines += record.evaluation.map { claim in
            "    \(claim.metric): \(claim.value) \(claim.unit) "
                + "(\(claim.direction.rawValue) is better; \(claim.status.rawValue), \(claim.dataset))"
        }
        return lines.joined(separator: "\n")
    }

    private var input: String {
        let input =
            switch record.inputs {
            case .pictures(let pictures):
                (pictures.isVideo ? "video, \(pictures.frames) frames of " : "image, ")
                    + "\(pictures.width)×\(pictures.height) \(pictures.channels)"
            case .series(let series):
                "series, \(series.length) steps of \(Counted.text(series.quantities.count, "number"))"
            case .vector(let quantities): "vector of \(Counted.text(quantities.count, "number"))"
            case .features(let model, _): "features of \(model)"
            }
        guard !record.actions.isEmpty else { return input }
        return input
            + "; actions \(record.actions.map { "\($0.name) [\($0.unit)]" }.joined(separator: ", "))"
    }
}
