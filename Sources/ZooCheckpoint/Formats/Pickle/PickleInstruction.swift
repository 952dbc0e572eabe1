// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The pickle opcodes that plain data needs.
///
/// Source: CPython `Lib/pickletools.py`, which describes every opcode. The opcodes that are
/// missing here build objects of arbitrary classes, refer to data outside the pickle, or are
/// never written by PyTorch.
enum PickleInstruction: UInt8 {
    case protocolVersion = 0x80
    case frame = 0x95
    case mark = 0x28
    case stop = 0x2E
    case none = 0x4E
    case newTrue = 0x88
    case newFalse = 0x89
    case integer4 = 0x4A
    case integer1 = 0x4B
    case integer2 = 0x4D
    case long1 = 0x8A
    case float8 = 0x47
    case unicode4 = 0x58
    case unicode1 = 0x8C
    case unicode8 = 0x8D
    case shortString = 0x55
    case bytes1 = 0x43
    case bytes4 = 0x42
    case bytes8 = 0x8E
    case emptyTuple = 0x29
    case tuple = 0x74
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case emptyList = 0x5D
    case emptyDictionary = 0x7D
    case emptySet = 0x8F
    case addItems = 0x90
    case append = 0x61
    case appends = 0x65
    case setItem = 0x73
    case setItems = 0x75
    case put1 = 0x71
    case put4 = 0x72
    case memoize = 0x94
    case get1 = 0x68
    case get4 = 0x6A
    case global = 0x63
    case stackGlobal = 0x93
    case reduce = 0x52
    case newObject = 0x81
    case build = 0x62
    case persistentID = 0x51
}
