// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// What a file that `torch.save` wrote holds.
///
/// Source of both containers: pytorch/pytorch `torch/serialization.py`.
struct TorchFile {
    /// The tensors by name, which is the keys that lead to them, joined by dots.
    let tensors: [(name: String, view: TensorView)]
    /// The keys of the outermost dictionary.
    let topLevelKeys: [String]
    /// The numbers and texts of the outermost dictionary.
    let notes: [String: String]

    /// Where a storage lies in the file.
    struct Place {
        let content: Range<Int>
        let isBigEndian: Bool
    }

    /// Bytes that all tensors together may take beyond what the file holds: views may repeat
    /// elements, but not without end.
    private static let expansion = 1 << 30
    /// How often the file's bytes may be repeated by views of them.
    private static let repetition = 16

    /// Puts a pickle and its storages together.
    ///
    /// - Parameters:
    ///   - pickle: what the file says.
    ///   - file: the file.
    ///   - place: where the storage with a key lies; `bytes` is the size the pickle says.
    /// - Throws: ``ZooError`` with code `checkpoint.tensor-invalid` or `checkpoint.pickle-limit`, or
    ///   what `place` throws.
    init(
        _ pickle: Pickle,
        in file: MappedFile,
        place: (_ key: String, _ bytes: Int) throws(ZooError) -> Place
    ) throws(ZooError) {
        let tree = try PickleTree(of: pickle, source: file.path)
        let invalid = Invalid(source: file.path)
        var known: [String: (storage: Pickle.Storage, place: Place)] = [:]
        var views: [TensorView] = []
        var total = 0
        for storage in pickle.storages {
            if let (other, _) = known[storage.key] {
                guard other.dtype == storage.dtype, other.count == storage.count else {
                    throw invalid.error("storage '\(storage.key)' is described in two ways")
                }
                continue
            }
            let (bytes, overflow) = storage.count.multipliedReportingOverflow(
                by: (storage.dtype?.bitWidth ?? 8) / 8
            )
            guard !overflow else { throw invalid.error("storage '\(storage.key)' is too large") }
            known[storage.key] = (storage, try place(storage.key, bytes))
        }
        for tensor in pickle.tensors {
            let storage = pickle.storages[tensor.storage]
            guard let (_, place) = known[storage.key] else { continue }
            let view = try Self.view(tensor, of: storage, at: place, in: file, invalid)
            views.append(view)
        }
        let limit = file.byteCount * Self.repetition + Self.expansion
        for (_, tensor) in tree.tensors {
            let (sum, overflow) = total.addingReportingOverflow(views[tensor].byteCount)
            guard !overflow, sum <= limit else {
                throw ZooError(
                    .pickleLimit,
                    "the tensors of '\(file.path)' unfold to more than \(ByteCount(limit)), from a "
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
                remedy: "the file is damaged or was made to mislead; fetch it again"
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
            throw invalid.error("a tensor has \(tensor.sizes.count) sizes and other strides")
        }
        guard let shape = Shape(checking: tensor.sizes),
            shape.byteCount(of: tensor.dtype) != nil, tensor.dtype.bitWidth >= 8
        else { throw invalid.error("a tensor has more elements than can be counted") }
        guard storage.dtype == nil || storage.dtype == tensor.dtype else {
            throw invalid.error("a tensor reads its storage as another element type")
        }
        // Such a storage has no elements to swap, and PyTorch takes its bytes as they are.
        guard storage.dtype != nil || !place.isBigEndian else {
            throw invalid.error("a tensor reads untyped bytes of a big-endian machine")
        }
        let width = tensor.dtype.bitWidth / 8
        // An axis of one element is never stepped along, whatever its stride.
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
                throw invalid.error("a tensor reaches further than can be counted")
            }
            last = sum
        }
        guard tensor.offset >= 0, last < part.count else {
            throw invalid.error(
                "a tensor uses element \(last) of storage '\(storage.key)', which has \(part.count)"
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
