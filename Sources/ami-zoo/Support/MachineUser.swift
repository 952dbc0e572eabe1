// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The person who runs the program on this machine.
enum MachineUser {
    /// `user:` and the name, for a log; behind `sudo` the name of the person who ran it.
    ///
    /// The name is a note, not a proof: whoever can run the program could also change the log.
    static var subject: String {
        if let name = unsafe getenv("SUDO_USER") {
            return "user:" + printable(unsafe String(cString: name))
        }
        let user = geteuid()
        guard let entry = unsafe getpwuid(user) else { return "user:\(user)" }
        return "user:" + printable(unsafe String(cString: entry.pointee.pw_name))
    }

    private static func printable(_ text: String) -> String {
        String(text.prefix(64).map { $0.isLetter || $0.isNumber || "._-@".contains($0) ? $0 : "?" })
    }
}
