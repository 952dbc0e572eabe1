// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// Who signs, on a command line: a key, and the files with its certificate and those of its issuers.
struct SignerArgument {
    let key: String
    let certificate: String?
    let chain: String?

    /// The private key with its certificates, which are valid now.
    ///
    /// - Parameter folder: the folder that is published, in which no private key may lie.
    /// - Returns: the key, and the certificates if there are any.
    /// - Throws: ``ZooError`` with a `key.*`, `certificate.*` or `io.*` code.
    func signer(for folder: String) throws(ZooError) -> (PrivateKey, SignerCertificates?) {
        let certificates = try certificates()
        let argument = KeyArgument(text: key, surroundings: Surroundings())
        return (try argument.signingKey(for: folder), certificates)
    }

    private func certificates() throws(ZooError) -> SignerCertificates? {
        guard let certificate else { return nil }
        let chain = try chain.map(CertificateFile.text)
        let certificates = try SignerCertificates(
            pem: try CertificateFile.text(certificate),
            chain: chain
        )
        try certificates.requireValid(at: .now)
        return certificates
    }
}

/// A file with certificates in PEM form on a command line.
enum CertificateFile {
    static func text(_ path: String) throws(ZooError) -> String {
        let bytes = try FileSystem.document(
            path,
            limit: SignerCertificates.fileLimit,
            followingLinks: true
        )
        return String(decoding: bytes, as: UTF8.self)
    }
}
