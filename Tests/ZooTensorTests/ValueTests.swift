// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooTensor

@Suite struct ValueTests {
    @Test func shapesThatOverflowAreRefused() {
        #expect(Shape(checking: [1 << 40, 1 << 40]) == nil)
        #expect(Shape(checking: [0, 1 << 40, 1 << 40]) == nil)
        #expect(Shape(checking: [2, -1]) == nil)
        #expect(Shape(checking: [])?.elementCount == 1)
        #expect(Shape(checking: [3, 0])?.elementCount == 0)
    }

    @Test func sizesInBytesMustBeWhole() {
        #expect(Shape([3]).byteCount(of: .f4) == nil)
        #expect(Shape([4]).byteCount(of: .f6E2M3) == 3)
        #expect(Shape([1 << 60]).byteCount(of: .f64) == nil)
        #expect(Shape([2, 3]).byteCount(of: .bf16) == 12)
    }

    @Test func copiesOfATensorDoNotShareChanges() {
        let original = Tensor(shape: [2, 2], values: [1, 2, 3, 4])
        var copy = original
        copy.withMutableValues { $0[3] = 9 }
        #expect(original.values == [1, 2, 3, 4])
        #expect(copy[1, 1] == 9)
    }

    @Test func changingATensorThatLiesInACheckpointCopiesIt() {
        let stored = StoredBytes.tensor(.f32, [1], [0, 0, 0x80, 0x3F])
        var tensor = stored.tensor
        tensor.withMutableValues { $0[0] = 2 }
        #expect(tensor.values == [2])
        #expect(stored.tensor.values == [1])
    }

    @Test(arguments: 0..<4)
    func float32ReadsTheSameFromAnyAddress(misalignment: Int) {
        let bytes: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
        let stored = StoredBytes.tensor(.f32, [2], bytes, misalignment: misalignment)
        #expect(stored.tensor.values == [1, -2])
        #expect((stored.sharedBuffer == nil) == (misalignment != 0))
    }

    @Test func storingATensorLendsItsBytes() {
        let stored = StoredTensor(Tensor(shape: [1], values: [1]))
        #expect(stored.byteCount == 4)
        #expect(stored.tensor.values == [1])
    }
}
