// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
internal import SystemPackage

/// What tells one content of a file from another without reading it.
struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    /// In bytes.
    let size: Int
    /// When content or status last changed, in nanoseconds since 1970.
    ///
    /// Unlike the modification time it cannot be set, so a tool that copies time stamps does not
    /// hide what it wrote.
    let changed: Int

    /// Asks the system about an open file; nil when it is not a regular one.
    ///
    /// `Glibc.stat` cannot be used in this module: there it belongs to a private module of NIO.
    init?(ofRegularFile descriptor: CInt) {
        // Why a descriptor that was just opened has no status does not matter: it is not served.
        guard let status = try? FileDescriptor(rawValue: descriptor).stat(),
            status.type == .regular
        else { return nil }
        device = UInt64(status.deviceID.rawValue)
        inode = UInt64(status.inode.rawValue)
        size = Int(status.size)
        changed = status.st_ctim.tv_sec * 1_000_000_000 + status.st_ctim.tv_nsec
    }
}
