// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// Signs the files of a folder (OpenSSF Model Signing 1.0).
package struct ModelSigner<Key: SigningKey>: Sendable {
    /// What was signed.
    package struct Result: Sendable {
        /// The signature.
        package let bundle: SignatureBundle
        /// The signed files.
        package let files: [String]
        /// The number of signed bytes.
        package let bytes: Int
        /// The files that the signature does not cover.
        package let uncovered: [String]
    }

    private let key: Key
    private let certificates: SignerCertificates?

    /// Creates a signer.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - certificates: the certificate of the key, with those of its issuers; nil to name the key alone.
    package init(key: Key, certificates: SignerCertificates? = nil) {
        self.key = key
        self.certificates = certificates
    }

    /// Signs every file of a folder.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - signature: where the signature will lie; it is left out.
    /// - Returns: the signature, which is not written, and what it covers.
    /// - Throws: ``ZooError`` with code `io.not-a-file` for links and special files,
    ///   `signature.not-a-folder` for an empty folder or too many files, `signature.malformed` for names
    ///   that a signature cannot hold, `signature.file-unsigned`, `certificate.other-key`, an `io.*` or `key.*`
    ///   code;
    ///   `CancellationError`.
    package func sign(_ folder: String, signature: String) async throws -> Result {
        let folder = FileSystem.absolute(folder)
        let model = try await BlockingWork.run { _ in
            try ModelFolder(folder, signature: signature, ignoring: ModelFolder.ignored)
        }
        guard !model.files.isEmpty, model.files.count <= SignedModel.resourceLimit else {
            throw ZooError(
                .signatureFolder,
                "'\(folder)' has \(model.files.count) files to sign, and a signature covers 1 to "
                    + "\(SignedModel.resourceLimit)",
                remedy: "give the folder of a model"
            )
        }
        if let irregular = model.irregular.first {
            throw ZooError(
                .notAFile,
                "'\(folder)/\(irregular.path)' is "
                    + (irregular.isLink ? "a symbolic link" : "not a regular file")
                    + ", and a signature covers regular files only",
                remedy: "replace it with a regular file, or remove it"
            )
        }
        // Verification would refuse it.
        if let hidden = model.uncovered.first(where: { !ModelFolder.mayBeLeftOut($0) }) {
            throw ZooError(
                .signatureFileUnsigned,
                "'\(folder)/\(hidden)' is not signed, because it lies in a folder that is left out",
                remedy: "move it to another folder"
            )
        }
        let digests = try await model.digests(of: model.files.map { ($0, nil) })
        let bundle = try await sign(
            FileSystem.name(of: folder),
            zip(model.files, digests).map { ($0, $1.digest) }
        )
        return Result(
            bundle: bundle,
            files: model.files,
            bytes: digests.reduce(0) { $0 + $1.bytes },
            uncovered: model.uncovered
        )
    }

    /// Signs files whose digests are known.
    ///
    /// - Parameters:
    ///   - name: the name of the model.
    ///   - files: the path and digest of every file.
    /// - Returns: the signature, which is not written.
    /// - Throws: ``ZooError`` with code `signature.malformed` for names that a signature cannot hold,
    ///   `certificate.other-key`, or a `key.*` code; `CancellationError`.
    package func sign(
        _ name: String,
        _ files: [(path: String, digest: ContentDigest)]
    ) async throws -> SignatureBundle {
        let statement = SignedModel.statement(
            about: name,
            files,
            ignoring: ModelFolder.ignored
        )
        let bundle = try await SignatureBundle(
            signing: statement,
            SignedModel.payloadType,
            with: key,
            certificates: certificates
        )
        // What the reader refuses, such as a name with a line break or too many long paths, is not written.
        try await BlockingWork.run { [publicKey = key.publicKey] _ in
            let written = try SignatureBundle(parsing: try bundle.bytes)
            _ = try SignedModel(try written.text(signedWith: publicKey))
        }
        return bundle
    }
}
