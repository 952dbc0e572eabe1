// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// The content of a file that `torch.save` wrote.
///
/// Source of both container formats: pytorch/pytorch `torch/serialization.py`.
struct TorchFile {
    /// The tensors by name: the keys that lead to them, joined by dots.
    let tensors: [(name: String, view: TensorView)]
    /// The keys of the outermost dictionary.
    let topLevelKeys: [String]
    /// The numbers and strings of the outermost dictionary.
    let notes: [String: String]

    /// The location of a storage in the file.
    struct Place {
        let content: Range<Int>
        let isBigEndian: Bool
    }

    /// The maximum bytes by which all tensors together may exceed the size of the file.
    ///
    /// Views may repeat elements; this limits the expansion.
    private static let expansion = 1 << 30
    /// The maximum ratio of the tensors' bytes to the file's bytes.
    private static let repetition = 16

    /// Combines a pickle with its storages.
    ///
    /// - Parameters:
    ///   - pickle: the pickle of the file.
    ///   - file: the file.
    ///   - place: locates the storage with a key; `bytes` is the size that the pickle states.
    /// - Throws: ``ZooError`` with code `checkpoint.tensor-invalid` or `checkpoint.pickle-limit`, or
    ///   what `place` throws.
    init(
        _ pickle: Pickle,
        in file: MappedFile,
        place: (_ key: String, _ bytes: Int) throws(ZooError) -> Place
    ) throws(ZooError) {
        let tree = try PickleTree(of: pickle, source: file.path)
        let invalid = Invalid(source: file.path)
        var known: [ExactName: (storage: Pickle.Storage, place: Place)] = [:]
        var views: [TensorView] = []
        var total = 0
        for storage in pickle.storages {
            if let (other, _) = known[ExactName(storage.key)] {
                guard other.dtype == storage.dtype, other.count == storage.count else {
                    throw invalid.error("storage '\(storage.key)' has two different descriptions")
                }
                continue
            }
            let (bytes, overflow) = storage.count.multipliedReportingOverflow(
                by: (storage.dtype?.bitWidth ?? 8) / 8
            )
            guard !overflow else { throw invalid.error("storage '\(storage.key)' is too large") }
            known[ExactName(storage.key)] = (storage, try place(storage.key, bytes))
        }
        for tensor in pickle.tensors {
            let storage = pickle.storages[tensor.storage]
            guard let (_, place) = known[ExactName(storage.key)] else { continue }
            let view = try Self.view(tensor, of: storage, at: place, in: file, invalid)
            views.append(view)
        }
        let limit = file.byteCount * Self.repetition + Self.expansion
        for (_, tensor) in tree.tensors {
            let (sum, overflow) = total.addingReportingOverflow(views[tensor].byteCount)
            guard !overflow, sum <= limit else {
                throw ZooError(
                    .pickleLimit,
                    "the tensors of '\(file.path)' expand to more than \(ByteCount(limit)), from a "
                        + "file of \(ByteCount(file.byteCount))",
                    remedy: "save copies of the tensors instead of expanded views"
                )
            }
            total = sum
        }
        tensors = tree.tensors.map { ($0.name, views[$0.tensor]) }
        topLevelKeys = tree.topLevelKeys
        notes = tree.notes
    }

    private struct Invalid {
        let source: String

        func error(_ what: String) -> ZooError {
            ZooError(
                .torchTensorInvalid,
                "\(what), in '\(source)'",
                remedy: "the file is damaged or malicious; download it again"
            )
        }
    }

    private static func view(
        _ tensor: Pickle.Tensor,
        of storage: Pickle.Storage,
        at place: Place,
        in file: MappedFile,
        _ invalid: Invalid
    ) throws(ZooError) -> TensorView {
        guard tensor.sizes.count == tensor.strides.count else {
            throw invalid.error("a tensor has \(tensor.sizes.count) sizes, but not as many strides")
        }
        guard let shape = Shape(checking: tensor.sizes),
            shape.byteCount(of: tensor.dtype) != nil, tensor.dtype.bitWidth >= 8
        else { throw invalid.error("a tensor's number of elements overflows") }
        guard storage.dtype == nil || storage.dtype == tensor.dtype else {
            throw invalid.error("a tensor has another element type than its storage")
        }
        // An untyped storage has no elements to swap, and PyTorch does not swap its bytes.
        guard storage.dtype != nil || !place.isBigEndian else {
            throw invalid.error("a tensor uses an untyped storage in a big-endian file")
        }
        let width = tensor.dtype.bitWidth / 8
        // The stride of an axis of one element is never used.
        let strides = zip(tensor.sizes, tensor.strides).map { $0 <= 1 ? 0 : $1 }
        let part = storage.part ?? 0..<place.content.count / width
        guard shape.elementCount > 0 else {
            return TensorView(
                dtype: tensor.dtype,
                shape: shape,
                strides: strides,
                firstByte: place.content.lowerBound,
                of: file
            )
        }
        var last = tensor.offset
        for (size, stride) in zip(tensor.sizes, strides) {
            let (distance, tooFar) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, tooLarge) = last.addingReportingOverflow(distance)
            guard !tooFar, !tooLarge else {
                throw invalid.error("a tensor's last offset overflows")
            }
            last = sum
        }
        guard tensor.offset >= 0, last < part.count else {
            throw invalid.error(
                "a tensor uses element \(last) of storage '\(storage.key)', which has \(part.count) elements"
            )
        }
        return TensorView(
            dtype: tensor.dtype,
            shape: shape,
            strides: strides,
            firstByte: place.content.lowerBound + (part.lowerBound + tensor.offset) * width,
            isBigEndian: place.isBigEndian,
            of: file
        )
    }
}
