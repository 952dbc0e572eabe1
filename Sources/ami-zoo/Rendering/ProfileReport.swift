// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import ZooCore
internal import ZooTensor

/// A profile as a text table and as JSON.
struct ProfileReport: Report {
    private let totals: Profile.Totals

    init(_ totals: Profile.Totals) { self.totals = totals }

    var json: JSONValue {
        var kinds = entries.map { kind, entry in
            var fields: [String: JSONValue] = [
                "kind": .string(kind.rawValue), "calls": .integer(entry.calls),
                "threadSeconds": rounded(entry.seconds), "share": rounded(share(entry.seconds)),
            ]
            if entry.operations > 0 {
                fields["gflops"] = rounded(Double(entry.operations) / entry.seconds / 1e9)
            } else {
                fields["gigabytesPerSecond"] = rounded(Double(entry.bytes) / entry.seconds / 1e9)
            }
            return JSONValue.object(fields)
        }
        kinds.append([
            "kind": "other", "calls": 0, "threadSeconds": rounded(totals.otherSeconds),
            "share": rounded(share(totals.otherSeconds)),
        ])
        return [
            "threadSeconds": rounded(totals.threadSeconds),
            "shareOutsideProducts": rounded(totals.shareOutsideProducts), "kinds": .array(kinds),
        ]
    }

    var text: String {
        var rows = entries.map { kind, entry in
            let rate =
                entry.operations > 0
                ? String(format: "%.1f GFLOP/s", Double(entry.operations) / entry.seconds / 1e9)
                : String(format: "%.1f GB/s", Double(entry.bytes) / entry.seconds / 1e9)
            return [
                kind.rawValue, "\(entry.calls)", String(format: "%.3f", entry.seconds),
                String(format: "%.1f %%", 100 * share(entry.seconds)), rate,
            ]
        }
        rows.append([
            "other", "", String(format: "%.3f", totals.otherSeconds),
            String(format: "%.1f %%", 100 * share(totals.otherSeconds)), "",
        ])
        return Table.text(["kind", "calls", "thread seconds", "share", "rate of a thread"], rows)
            + String(
                format: "\n%.3f thread seconds, %.1f %% of them outside matrix products",
                totals.threadSeconds,
                100 * totals.shareOutsideProducts
            )
    }

    /// The kinds that occurred, ordered by time, longest first.
    private var entries: [(Profile.Kind, Profile.Entry)] {
        totals.entries.sorted {
            ($0.value.seconds, $1.key.rawValue) > ($1.value.seconds, $0.key.rawValue)
        }
        .map { ($0.key, $0.value) }
    }

    private func share(_ seconds: Double) -> Double {
        totals.threadSeconds > 0 ? seconds / totals.threadSeconds : 0
    }

    /// Rounds to six decimal places, which is microseconds for times.
    private func rounded(_ value: Double) -> JSONValue {
        .number(value.isFinite ? (value * 1e6).rounded() / 1e6 : 0)
    }
}
