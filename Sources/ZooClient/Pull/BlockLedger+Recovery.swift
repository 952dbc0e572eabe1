// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles

extension BlockLedger {
    /// Finds blocks that this machine already has, in place or in other releases.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - plans: the archives.
    ///   - elsewhere: blocks of other releases.
    ///   - isCandidate: whether a block may be in place; it is hashed before it counts as verified.
    ///   - cancellation: stops the search between blocks.
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    func recover(
        _ plans: [ArchivePlan],
        from elsewhere: LocalBlocks,
        checking isCandidate: (Index) -> Bool,
        _ cancellation: Cancellation
    ) throws {
        let raw = BlockBuffer()
        for plan in plans {
            for number in plan.needed.sorted() {
                try cancellation.check()
                let block = plan.table.blocks[number]
                if isCandidate(plan.index(of: number)), plan.folder.holds(block.rawRange),
                    (try? plan.folder.read(block.rawRange, into: raw)) != nil,
                    let verified = try? BlockDecoder.verify(raw, of: block)
                {
                    try complete(verified, number, of: plan, .resumed)
                } else if let place = elsewhere.find(block, into: raw) {
                    // What was shared is read back: the other release may have changed meanwhile.
                    let copy = try BlockDecoder.verify(raw, of: block)
                    if try plan.folder.write(copy, sharing: place) {
                        try plan.folder.read(block.rawRange, into: raw)
                    }
                    guard let verified = try? BlockDecoder.verify(raw, of: block) else { continue }
                    try complete(verified, number, of: plan, .copied)
                }
            }
        }
    }
}
