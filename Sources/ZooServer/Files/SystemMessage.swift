// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc

/// What the system calls an error number, such as "Permission denied".
func systemMessage(_ number: CInt) -> String {
    // strerror returns a terminated string that stays valid until this thread's next call.
    unsafe String(cString: strerror(number))
}
