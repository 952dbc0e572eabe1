// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooEval
internal import ZooFiles

/// Held data that several suites measure on: each archive is read once, and so is each description of its files.
actor OpenedData {
    /// By the name that suites give the data.
    private var files: [String: any HeldFiles] = [:]
    private var all: [HeldData] = []

    /// Opens data; suites are prepared one after the other.
    ///
    /// - Parameters:
    ///   - source: what a suite says about the data.
    ///   - open: opens the files when no suite has read them yet.
    /// - Returns: the data.
    /// - Throws: as ``HeldData/init(_:in:)``, and what `open` throws.
    func data(
        _ source: HeldSource,
        _ open: @escaping @Sendable (Cancellation) throws -> any HeldFiles
    ) async throws -> HeldData {
        if let found = all.first(where: { $0.source == source }) { return found }
        let opened: any HeldFiles
        if let known = files.value(ofExactly: source.name) {
            opened = known
        } else {
            opened = try await BlockingWork.run(open)
            files[source.name] = opened
        }
        let found = try await HeldData(source, in: opened)
        all.append(found)
        return found
    }
}
