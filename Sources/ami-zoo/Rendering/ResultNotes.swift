// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore

/// Remarks about the inputs of this run, which belong to its result: `notes` in JSON.
enum ResultNotes {
    private static let texts = Mutex<[String]>([])

    /// Adds a remark.
    static func add(_ text: String) { texts.withLock { $0.append(text) } }

    /// A document with the remarks; the document as it is when there are none.
    static func added(to document: JSONValue) -> JSONValue {
        let notes = texts.withLock { $0 }
        guard !notes.isEmpty, case .object(var members) = document else { return document }
        members["notes"] = .array(notes.map { .string($0) })
        return .object(members)
    }
}
