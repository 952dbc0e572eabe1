// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation

/// A TCP socket on 127.0.0.1 that is closed when the value is destroyed.
struct LoopbackSocket: ~Copyable {
    private let descriptor: Int32

    private init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    private init() {
        #if canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        descriptor = socket(AF_INET, type, 0)
    }

    /// Creates a socket that listens on a port selected by the system.
    static func listening() throws -> LoopbackSocket {
        let socket = LoopbackSocket()
        let bound = unsafe withLoopbackAddress(port: 0) { unsafe bind(socket.descriptor, $0, $1) }
        guard bound == 0, listen(socket.descriptor, 64) == 0 else {
            throw POSIXError(POSIXError.Code(rawValue: errno) ?? .EIO)
        }
        return socket
    }

    /// Whether a program accepts connections on a port.
    static func isListening(on port: Int) -> Bool {
        let socket = LoopbackSocket()
        return unsafe withLoopbackAddress(port: port) {
            unsafe connect(socket.descriptor, $0, $1) == 0
        }
    }

    private static func withLoopbackAddress<Result>(
        port: Int,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return unsafe withUnsafePointer(to: address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The port the socket is bound to.
    var port: Int {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Accepts the next connection; nil after a timeout of `milliseconds`.
    func accept(within milliseconds: Int32) -> LoopbackSocket? {
        guard isReadable(within: milliseconds) else { return nil }
        let connection = Foundation.accept(descriptor, nil, nil)
        guard connection >= 0 else { return nil }
        #if !canImport(Glibc)
        var on: Int32 = 1
        unsafe setsockopt(
            connection,
            SOL_SOCKET,
            SO_NOSIGPIPE,
            &on,
            socklen_t(MemoryLayout<Int32>.size)
        )
        #endif
        return LoopbackSocket(owning: connection)
    }

    /// Whether bytes, a connection or the end of the stream arrive within `milliseconds`.
    func isReadable(within milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&request, 1, milliseconds) > 0
    }

    /// Reads available bytes; empty at the end of the stream or after an error.
    func receive() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
            count = max(0, unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0))
        }
    }

    /// Sends bytes; false when the peer has closed the connection.
    func send(_ bytes: some Sequence<UInt8>) -> Bool {
        #if canImport(Glibc)
        let flags = Int32(MSG_NOSIGNAL)
        #else
        let flags: Int32 = 0
        #endif
        let copy = ContiguousArray(bytes)
        return unsafe copy.withUnsafeBytes { all in
            var rest = unsafe all[...]
            while unsafe !rest.isEmpty {
                let part = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe Foundation.send(descriptor, part.baseAddress, part.count, flags)
                guard count > 0 else { return false }
                unsafe rest = unsafe rest.dropFirst(count)
            }
            return true
        }
    }

    /// Makes the next close reset the connection.
    func armReset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_LINGER,
            &option,
            socklen_t(MemoryLayout<linger>.size)
        )
    }
}
