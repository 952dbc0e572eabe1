// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

extension ZooError.Code {
    /// The disk, the quota or the file size limit is exhausted.
    public static let diskFull = Self("io.disk-full", .inputOutput)
    /// Permission was denied, or the file system is read-only.
    public static let notWritable = Self("io.not-permitted", .inputOutput)
    /// A file or folder does not exist.
    public static let fileMissing = Self("io.not-found", .notFound)
    /// A file or folder already exists.
    public static let fileExists = Self("io.exists", .inputOutput)
    /// Any other failure of a system call.
    public static let systemCall = Self("io.failed", .inputOutput)
    /// A path refers to a folder, device, pipe, socket or symbolic link instead of a regular file.
    public static let notAFile = Self("io.not-a-file", .inputOutput)
    /// The name of a file is not UTF-8.
    public static let nameNotUTF8 = Self("io.name-not-utf8", .badData)
    /// A folder for unverified files is not a folder, belongs to another user or is open to others.
    public static let folderNotPrivate = Self("io.folder-not-private", .notPermitted)
    /// A file was written to while it was read.
    public static let fileChanged = Self("io.changed", .inputOutput)
    /// A file is shorter than the requested range.
    public static let fileTruncated = Self("io.truncated", .inputOutput)
    /// A document on disk is larger than its format allows.
    public static let documentTooLarge = Self("io.document-too-large", .badData)
}

extension ZooError {
    /// The error for a system call that failed.
    ///
    /// - Parameters:
    ///   - number: the value of `errno` right after the call.
    ///   - action: the failed action, such as "write".
    ///   - path: the file.
    /// - Returns: the error.
    package static func system(_ number: Int32, _ action: String, _ path: String) -> ZooError {
        let reason = unsafe String(cString: strerror(number))
        let message = "cannot \(action) '\(path)': \(reason)"
        switch number {
        case ENOSPC, EDQUOT, EFBIG:
            return ZooError(
                .diskFull,
                message,
                remedy:
                    "free some space, then run the same command again; verified data is kept"
            )
        case EACCES, EPERM, EROFS:
            return ZooError(
                .notWritable,
                message,
                remedy:
                    "use a writable folder (AMI_ZOO_HOME, --to), or change the permissions"
            )
        case ENOENT, ENOTDIR:
            return ZooError(.fileMissing, message)
        case EEXIST, ENOTEMPTY:
            return ZooError(.fileExists, message)
        default:
            return ZooError(.systemCall, message)
        }
    }

    /// The error for a path that is not a regular file.
    static func notAFile(_ path: String, _ kind: FileStatus.Kind) -> ZooError {
        ZooError(
            .notAFile,
            "'\(path)' is \(kind.text), not a regular file",
            remedy: "give the path of a regular file"
        )
    }
}
