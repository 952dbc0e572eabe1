// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
internal import SystemPackage

/// The metadata that identifies the content of a file without reading it.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    /// The size in bytes.
    let size: Int
    /// The status change time (ctime) in nanoseconds since 1970.
    ///
    /// Unlike the modification time, it cannot be set, so it also changes when a tool preserves
    /// timestamps.
    let changed: Int

    /// Reads the metadata of an open file; nil when it is not a regular file.
    ///
    /// `Glibc.stat` cannot be used in this module, because it resolves to a private module of NIO.
    init?(ofRegularFile descriptor: CInt) {
        // A file without a status is not served, whatever the reason.
        guard let status = try? FileDescriptor(rawValue: descriptor).stat(),
            status.type == .regular
        else { return nil }
        device = UInt64(status.deviceID.rawValue)
        inode = UInt64(status.inode.rawValue)
        size = Int(status.size)
        changed = status.st_ctim.tv_sec * 1_000_000_000 + status.st_ctim.tv_nsec
    }
}
