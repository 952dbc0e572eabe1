// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// `ami-zoo sign`.
struct SignCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign every file of a model folder.",
        discussion: """
            Writes a signature of OpenSSF Model Signing 1.0, which 'ami-zoo verify FOLDER --key KEY' \
            and the 'model-signing' tool verify. With --certificate it names the signer, and \
            'ami-zoo verify FOLDER --certificate-chain FILE' verifies it with the root certificate of \
            the signer's authority. The folder .ami-zoo and files of version control are \
            not signed. The passphrase of an encrypted key is asked for, or taken from \
            AMI_ZOO_KEY_PASSPHRASE.
            """
    )

    @Argument(help: "The folder of the model.")
    var folder: String

    @Option(
        help: ArgumentHelp(
            "The private key: the name of one of your keys, or a PEM file that only you can read.",
            valueName: "name"
        )
    )
    var key: String

    @OptionGroup var certificates: CertificateOptions

    @Option(
        help: ArgumentHelp(
            "The file to write. Default: model.sig in the folder.",
            valueName: "file"
        )
    )
    var signature: String?

    @OptionGroup var output: OutputOptions

    func report() async throws -> SignOutcome {
        let folder = FileSystem.absolute(folder)
        guard FileSystem.isFolder(folder) else {
            throw ZooError(
                .signatureFolder,
                "'\(folder)' is not a folder",
                remedy: "give the folder that contains the files of the model"
            )
        }
        let path = FileSystem.absolute(signature ?? "\(folder)/\(ModelFolder.signatureName)")
        guard try FileSystem.status(path) == nil else {
            throw ZooError(
                .fileExists,
                "'\(path)' exists already",
                remedy: "move it away, or give another file with --signature"
            )
        }
        let (key, certificates) = try certificates.signer(key, for: folder)
        return try await Interruption.cancelling {
            let signer = ModelSigner(key: key, certificates: certificates)
            let result = try await signer.sign(folder, signature: path)
            let bytes = try result.bundle.bytes
            try await BlockingWork.run { _ in try FileSystem.writeAtomically(path, bytes) }
            return SignOutcome(
                path: path,
                key: key.publicKey,
                certificate: certificates?.facts,
                result: result
            )
        }
    }
}

struct SignOutcome: Report {
    let path: String
    let key: VerificationKey
    let certificate: SignerFacts?
    let result: ModelSigner<PrivateKey>.Result

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "path": .string(path), "key": .string(key.hint),
            "files": .array(result.files.map(JSONValue.string)), "bytes": .integer(result.bytes),
            "uncovered": .array(result.uncovered.map(JSONValue.string)),
        ]
        if let certificate { members["certificate"] = certificate.json }
        return .object(members)
    }

    var text: String {
        let text =
            "signed \(result.files.count) files, \(ByteCount(result.bytes)), with the key "
            + "\(key.hint.prefix(12))\(certificate.map { " of '\($0.subject)'" } ?? ""): \(path)"
        guard !result.uncovered.isEmpty else { return text }
        return text + "\nnot signed: " + SignatureOutcome.list(result.uncovered)
    }
}
