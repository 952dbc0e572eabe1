// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooStore

/// What a pull and a repair work with.
package struct ReleaseTools: Sendable {
    let registry: Registry
    let store: ModelStore
    let report: @Sendable (PullEvent) -> Void
}

/// A task that fetches a release from a registry, with the local store.
package protocol ReleaseTask: Sendable {
    /// What the task works with.
    var tools: ReleaseTools { get }

    /// Creates a task.
    init(tools: ReleaseTools)
}

extension ReleaseTask {
    /// Creates a task.
    ///
    /// - Parameters:
    ///   - registry: the registry to fetch from.
    ///   - store: the local store.
    ///   - report: receives progress events on any thread.
    package init(
        registry: Registry,
        store: ModelStore,
        report: @escaping @Sendable (PullEvent) -> Void = { _ in }
    ) {
        self.init(tools: ReleaseTools(registry: registry, store: store, report: report))
    }

    var registry: Registry { tools.registry }
    var store: ModelStore { tools.store }
    var report: @Sendable (PullEvent) -> Void { tools.report }
}
