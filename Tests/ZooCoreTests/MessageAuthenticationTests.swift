// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

/// HMAC-SHA256 against the vectors of RFC 4231.
@Suite("Message authentication")
struct MessageAuthenticationTests {
    @Test(
        "The codes are those of RFC 4231",
        arguments: [
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
        ]
    )
    func vectors(key: [UInt8], message: [UInt8], expected: String) {
        let code = MessageAuthentication(key: key).code(of: message)
        #expect(code.count == MessageAuthentication.codeSize)
        #expect(
            code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                == expected
        )
    }

    @Test("Only the whole code of the same message and key is valid; keys are random")
    func validity() {
        let authentication = MessageAuthentication()
        let message = Array("message".utf8)
        let code = authentication.code(of: message)
        #expect(authentication.isValid(code, for: message))
        #expect(!authentication.isValid(code, for: message + [0]))
        #expect(!authentication.isValid(Array(code.dropLast()), for: message))
        #expect(!authentication.isValid(code + [0], for: message))
        #expect(!authentication.isValid([], for: message))
        #expect(!MessageAuthentication().isValid(code, for: message))
        for index in code.indices {
            var changed = code
            changed[index] ^= 1
            #expect(!authentication.isValid(changed, for: message))
        }
    }
}
