// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import NIOCore
internal import NIOSSL
package import ZooCore
internal import ZooFiles

/// The certificate and the private key of an HTTPS server.
package struct TLSIdentity: Sendable {
    /// Certificate chains and keys are a few kilobytes.
    private static let limit = 1 << 20

    let context: NIOSSLContext

    /// Reads a certificate and its private key; blocks the calling thread.
    ///
    /// - Parameters:
    ///   - certificate: a PEM file with the certificate of the server, then those of its issuers.
    ///   - key: a PEM file with the private key, without a passphrase.
    /// - Throws: ``ZooError`` with code `server.tls-file-unreadable`, `server.tls-file-invalid` or
    ///   `server.tls-key-mismatch`.
    package init(certificate: String, key: String) throws(ZooError) {
        let certificates = try Self.parse(certificate, "a certificate") { bytes in
            let chain = try NIOSSLCertificate.fromPEMBytes(bytes)
            return chain.isEmpty ? nil : chain
        }
        let privateKey = try Self.parse(key, "a private key without a passphrase") { bytes in
            try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) },
            privateKey: .privateKey(privateKey)
        )
        configuration.minimumTLSVersion = .tlsv12
        // A response is written before its connection closes, so the client's goodbye is not needed.
        configuration.shutdownTimeout = .seconds(1)
        configuration.applicationProtocols = ["http/1.1"]
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw ZooError(
                .tlsKeyMismatch,
                "the private key '\(key)' does not belong to the certificate '\(certificate)'",
                remedy: "give the key that the certificate was requested with; the certificate of "
                    + "the server must be the first in its file",
                cause: error
            )
        }
    }

    private static func parse<Value>(
        _ path: String,
        _ content: String,
        _ parse: ([UInt8]) throws -> Value?
    ) throws(ZooError) -> Value {
        let bytes: [UInt8]
        do throws(ZooError) {
            bytes = try FileSystem.document(path, limit: limit, followingLinks: true)
        } catch {
            throw ZooError(
                .tlsFileUnreadable,
                error.message,
                remedy: "give the path of a PEM file that the user of the server may read",
                cause: error
            )
        }
        // The error of the parser names neither the file nor a remedy.
        if let value = try? parse(bytes) { return value }
        throw ZooError(
            .tlsFileInvalid,
            "'\(path)' does not have \(content) in PEM form",
            remedy: "give a file with \(content); 'openssl x509' and 'openssl pkey' convert others"
        )
    }
}
