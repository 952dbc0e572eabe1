// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ModelStore {
    /// The remedy for a reference to a model that is not installed.
    func remedy(forMissing reference: ModelReference) -> String {
        let pull = "'ami-zoo pull \(reference)'"
        // Without a readable store there are no names to suggest.
        guard let installed = try? releases() else { return "run \(pull)" }
        let others = installed.filter { $0.record.name == reference.name }
            .map { "'\($0.reference)'" }
        guard others.isEmpty else {
            return
                "installed: \(Set(others).sorted().joined(separator: ", ")); to install it, run \(pull)"
        }
        let nearest = NearestNames(to: reference.name, among: installed.map(\.record.name))
        return nearest.question.map { "\($0) If not, run \(pull)" } ?? "run \(pull)"
    }
}
