// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc

/// The system's message for an error number, such as "Permission denied".
func systemMessage(_ number: CInt) -> String {
    // strerror returns a null-terminated string that is valid until the thread's next call.
    unsafe String(cString: strerror(number))
}
