// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Searches a rejected pickle for the global names that it uses, for the error message.
///
/// The search matches the byte pattern of an opcode and does not parse the pickle. It is used
/// only for messages, never to accept or reject a file.
enum PickleScan {
    /// The names outside the allowlist that protocol-2 instructions mention, in order, each once.
    static func names(in bytes: [UInt8]) -> [String] {
        var names: [String] = []
        var position = 0
        while let start = bytes[position...].firstIndex(of: PickleInstruction.global.rawValue) {
            position = start + 1
            guard let middle = bytes[position...].prefix(256).firstIndex(of: 0x0A),
                let end = bytes[(middle + 1)...].prefix(256).firstIndex(of: 0x0A),
                let module = name(bytes[position..<middle]),
                let member = name(bytes[(middle + 1)..<end])
            else { continue }
            position = end + 1
            let full = "\(module).\(member)"
            if PickleGlobal(module: module, name: member) == nil, !names.contains(full) {
                names.append(full)
                if names.count == 100 { break }
            }
        }
        return names
    }

    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        let isName =
            !bytes.isEmpty
            && bytes.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2E: true
                default: false
                }
            }
        return isName ? String(validating: bytes, as: UTF8.self) : nil
    }
}
