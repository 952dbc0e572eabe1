// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// A sequential reader of the bytes of a pickle, which also creates the errors about them.
struct PickleReader {
    let bytes: [UInt8]
    var position: Int
    /// The name of the file, for messages.
    let source: String

    mutating func byte() throws(ZooError) -> UInt8 {
        guard position < bytes.count else { throw malformed("is truncated") }
        defer { position += 1 }
        return bytes[position]
    }

    /// A little-endian integer of `count` bytes, at most 8; throws if it does not fit an `Int`.
    mutating func integer(_ count: Int) throws(ZooError) -> Int {
        guard bytes.count - position >= count else { throw malformed("is truncated") }
        var number: UInt64 = 0
        for index in (0..<count).reversed() {
            number = number << 8 | UInt64(bytes[position + index])
        }
        position += count
        guard let integer = Int(exactly: number) else { throw malformed("has an invalid length") }
        return integer
    }

    /// A length-prefixed integer in two's complement.
    mutating func long() throws(ZooError) -> PickleValue {
        let content = try bytes(lengthOf: 1)
        let isNegative = content.last.map { $0 >= 0x80 } ?? false
        let padding: UInt8 = isNegative ? 0xFF : 0
        // Bytes that only extend the sign do not change the value.
        guard content.dropFirst(8).allSatisfy({ $0 == padding }),
            content.count <= 8 || content[7] & 0x80 == padding & 0x80
        else { return .largeInteger }
        var number: UInt64 = isNegative ? .max : 0
        for byte in content.prefix(8).reversed() { number = number << 8 | UInt64(byte) }
        return .integer(Int(Int64(bitPattern: number)))
    }

    /// A float64, big-endian.
    mutating func double() throws(ZooError) -> Double {
        guard bytes.count - position >= 8 else { throw malformed("is truncated") }
        defer { position += 8 }
        let bits = bytes[position..<position + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Double(bitPattern: bits)
    }

    /// Length-prefixed bytes.
    mutating func bytes(lengthOf width: Int) throws(ZooError) -> [UInt8] {
        let count = try integer(width)
        guard count <= PickleLimits.text else { throw limit("\(PickleLimits.text) bytes of text") }
        guard bytes.count - position >= count else { throw malformed("is truncated") }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// UTF-8 text, prefixed with its length in bytes.
    mutating func text(lengthOf width: Int) throws(ZooError) -> String {
        guard let text = String(validating: try bytes(lengthOf: width), as: UTF8.self) else {
            throw malformed("holds text that is not UTF-8")
        }
        return text
    }

    /// A string of Python 2, which can be text or bytes.
    mutating func shortString() throws(ZooError) -> PickleValue {
        let content = try bytes(lengthOf: 1)
        return String(validating: content, as: UTF8.self).map { .string($0) } ?? .bytes(content)
    }

    /// Text up to the end of a line.
    mutating func line() throws(ZooError) -> String {
        guard let end = bytes[position...].prefix(1024).firstIndex(of: 0x0A),
            let text = String(validating: bytes[position..<end], as: UTF8.self)
        else { throw malformed("holds a name that is not terminated") }
        position = end + 1
        return text
    }

    /// Reads the length of a frame, which must not exceed the remaining bytes.
    mutating func frame() throws(ZooError) {
        let length = try integer(8)
        guard length <= bytes.count - position else { throw malformed("is truncated") }
    }

    // MARK: Errors

    func error(_ code: ZooError.Code, _ what: String) -> ZooError {
        ZooError(
            code,
            "the pickle in '\(source)' \(what) (byte \(position))",
            remedy: "save the weights alone: torch.save(model.state_dict(), …), or as safetensors"
        )
    }

    func malformed(_ what: String) -> ZooError {
        ZooError(
            .pickleMalformed,
            "the pickle in '\(source)' \(what) (byte \(position))",
            remedy: "the file is damaged or was not written by PyTorch; download it again"
        )
    }

    func limit(_ what: String) -> ZooError {
        error(.pickleLimit, "exceeds the limit of \(what)")
    }

    func invalidTensor(_ what: String) -> ZooError {
        ZooError(
            .torchTensorInvalid,
            "\(what), in '\(source)'",
            remedy: "the file is damaged or malicious; download it again"
        )
    }

    /// An error that lists the global names of the pickle that are not allowed, `name` first.
    func forbidden(_ name: String) -> ZooError {
        let others = PickleScan.names(in: bytes).filter { name != $0 }
        let rest = others.isEmpty ? "" : ", also " + others.prefix(5).joined(separator: ", ")
        return ZooError(
            .pickleGlobal,
            "'\(source)' contains `\(Self.printable(name))`\(Self.printable(rest)); this file would "
                + "run code when opened with Python",
            remedy: "do not open it; ask its publisher for the weights alone, as safetensors or as "
                + "torch.save(model.state_dict(), …)"
        )
    }

    private static func printable(_ text: String) -> String {
        String(
            text.prefix(300).unicodeScalars.map { scalar in
                scalar.isControl ? "�" : Character(scalar)
            }
        )
    }
}
