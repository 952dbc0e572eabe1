// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The result of a comparison of a folder with the statement of its signature.
package struct SignatureCheck: Sendable {
    /// The verified statement.
    package let model: SignedModel
    /// What differs; empty when every file is as signed and nothing else is there.
    package let findings: [Finding]
    /// The number of files whose every byte is as signed.
    package let files: Int
    /// The number of their bytes.
    package let bytes: Int
    /// Files in the folder that the signature leaves out, and that nobody vouches for.
    package let uncovered: [String]

    /// Whether the folder is what was signed.
    package var passed: Bool { findings.isEmpty }

    /// The ends of the names of files that hold weights or can run code when they are loaded.
    private static let weightFiles = [
        ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".tar", ".npz", ".npy", ".onnx", ".gguf",
        ".h5",
        ".msgpack", ".pkl", ".pickle", ".joblib", ".pb", ".tflite", ".mlmodel", ".py",
    ]

    /// Compares every byte of a folder with a statement.
    ///
    /// - Parameters:
    ///   - model: the verified statement.
    ///   - folder: the folder.
    ///   - signature: the path of the signature, which may lie in the folder.
    /// - Throws: ``ZooError`` with an `io.*` code when the folder cannot be read;
    ///   `CancellationError`.
    package init(_ model: SignedModel, _ folder: String, signature: String) async throws {
        let folder = FileSystem.absolute(folder)
        let found = try await BlockingWork.run { _ in
            try ModelFolder(folder, signature: signature, ignoring: model.ignored)
        }
        let signed = Dictionary(grouping: model.resources) { ExactName($0.path) }
        let present = Set((found.files + found.uncovered).map(ExactName.init))
        var findings: [Finding] = []
        for file in found.files where signed[ExactName(file)] == nil {
            // Statements about parts of files leave out empty files.
            let isOmitted =
                try model.shardSize != nil
                && FileSystem.status("\(folder)/\(file)")?.size == 0
            if !isOmitted { findings.append(Self.unsigned(file)) }
        }
        findings += found.uncovered.filter(Self.isWeights).filter { signed[ExactName($0)] == nil }
            .map(Self.leftOut)

        var complete: [SignedModel.Resource] = []
        for (name, parts) in signed.sorted(by: { $0.key.text < $1.key.text }) {
            guard present.contains(name) else {
                findings.append(Self.missing(name.text))
                continue
            }
            let status = try FileSystem.status("\(folder)/\(name.text)")
            guard status?.kind == .file, Self.cover(parts, status?.size ?? 0, model.shardSize)
            else {
                findings.append(Self.different(name.text, "its size is not the signed one"))
                continue
            }
            complete += parts
        }
        let digests = try await found.digests(of: complete.map { ($0.path, $0.range) })
        var (names, wrong, bytes): (Set<ExactName>, Set<ExactName>, Int) = ([], [], 0)
        for (part, digest) in zip(complete, digests) {
            names.insert(ExactName(part.path))
            if digest.digest == part.digest {
                bytes += digest.bytes
            } else if wrong.insert(ExactName(part.path)).inserted {
                findings.append(
                    Self.different(
                        part.path,
                        "its digest is \(digest.digest), and \(part.digest) was signed"
                    )
                )
            }
        }
        self.model = model
        self.findings = findings
        self.bytes = bytes
        files = names.subtracting(wrong).count
        uncovered = found.uncovered.filter { signed[ExactName($0)] == nil }
    }

    /// Whether the parts of a file are its whole content, each byte once.
    private static func cover(
        _ parts: [SignedModel.Resource],
        _ size: Int,
        _ shardSize: Int?
    ) -> Bool {
        guard shardSize != nil else { return true }
        var end = 0
        for range in parts.compactMap(\.range).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard range.lowerBound == end else { return false }
            end = range.upperBound
        }
        return end == size
    }

    private static func isWeights(_ path: String) -> Bool {
        // The store's own folder holds no weights, and evidence in it is verified by other means.
        let name = path.lowercased()
        return !name.hasPrefix(".git/") && weightFiles.contains { name.hasSuffix($0) }
    }

    private static func unsigned(_ path: String) -> Finding {
        Finding(
            .signatureFileUnsigned,
            path: path,
            message: "'\(path)' is not signed",
            remedy: "remove it, or move it to another folder"
        )
    }

    private static func leftOut(_ path: String) -> Finding {
        Finding(
            .signatureFileUnsigned,
            path: path,
            message: "'\(path)' can hold weights or code, and the signature leaves it out",
            remedy: "remove it, or ask the publisher to sign it"
        )
    }

    private static func missing(_ path: String) -> Finding {
        Finding(
            .signatureFileMismatch,
            path: path,
            message: "'\(path)' was signed and is missing",
            remedy: "get the model again"
        )
    }

    private static func different(_ path: String, _ how: String) -> Finding {
        Finding(
            .signatureFileMismatch,
            path: path,
            message: "'\(path)' is not the signed file: \(how)",
            remedy: "get the model again"
        )
    }
}
