// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension VerificationKey {
    /// The largest size of a file with a key, in bytes.
    package static let fileLimit = 64 << 10

    /// Reads the text of a file with an ECDSA public key on P-256, P-384 or P-521 in PEM form.
    ///
    /// - Throws: ``ZooError`` with code `key.malformed`, also for a private key.
    package init(publicKeyFile text: String) throws(ZooError) {
        guard !text.contains("PRIVATE KEY-----") else {
            throw ZooError(
                .keyMalformed,
                "the file holds a private key, and a public key is needed",
                remedy: "make the public key from it: 'openssl pkey -in FILE -pubout'"
            )
        }
        for algorithm in [Algorithm.ecdsaP256, .ecdsaP384, .ecdsaP521] {
            if let key = try? VerificationKey(pem: text, algorithm: algorithm) {
                self = key
                return
            }
        }
        throw ZooError(
            .keyMalformed,
            "the file holds no ECDSA public key on P-256, P-384 or P-521 in PEM form",
            remedy:
                "make a key with 'ami-zoo keys new NAME', and give others what 'ami-zoo keys export "
                + "NAME' prints"
        )
    }

    /// The name of the key in a signature: the SHA-256 of its PEM text, as OpenSSL prints it, in
    /// hexadecimal digits.
    ///
    /// Source: sigstore/model-transparency `src/model_signing/_signing/sign_ec_key.py`.
    package var hint: String { ContentDigest(of: (pem + "\n").utf8).hex }
}
