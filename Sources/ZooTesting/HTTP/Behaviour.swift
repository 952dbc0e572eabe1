// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How ``HostileServer`` answers a request; methods modify a behaviour by chaining.
///
/// ```swift
/// server.on("/blob", .serving(content).resetting(after: 1000), .serving(content))
/// ```
package struct Behaviour: Sendable {
    /// Creates the response to a request.
    package let respond: @Sendable (RecordedRequest) -> ScriptedResponse

    /// Answers with the response that the closure returns.
    package init(_ respond: @escaping @Sendable (RecordedRequest) -> ScriptedResponse) {
        self.respond = respond
    }

    // MARK: Responses

    /// A correct static file server.
    package static func serving(_ content: ServedContent) -> Behaviour {
        Behaviour { ScriptedResponse(content, to: $0) }
    }

    /// A server that ignores ranges and conditions and sends the whole content with 200.
    package static func ignoringRanges(_ content: ServedContent) -> Behaviour {
        Behaviour { _ in
            ScriptedResponse(
                status: 200,
                headers: ["ETag": content.entityTag],
                body: content.bytes
            )
        }
    }

    /// A status with headers and a short body.
    package static func status(_ status: Int, headers: [String: String?] = [:]) -> Behaviour {
        Behaviour { _ in
            let body = status == 304 || status == 204 ? [] : Array("status \(status)\n".utf8)
            return ScriptedResponse(status: status, headers: headers, body: body)
        }
    }

    /// A redirect.
    package static func redirect(to location: String, status: Int = 307) -> Behaviour {
        .status(status, headers: ["Location": location])
    }

    // MARK: Modifiers

    /// Adds or replaces a header, or removes it if the value is nil.
    package func header(_ name: String, _ value: String?) -> Behaviour {
        changing { $0.headers.updateValue(value, forKey: name) }
    }

    /// Replaces the status.
    package func answering(_ status: Int) -> Behaviour { changing { $0.status = status } }

    /// Appends bytes to the body and includes them in the content length.
    package func lengthened(by count: Int) -> Behaviour {
        changing { $0.body += [UInt8](repeating: 0xAA, count: count) }
    }

    /// Replaces the framing of the body.
    package func framed(_ framing: ScriptedResponse.Framing) -> Behaviour {
        changing { $0.framing = framing }
    }

    /// Closes the connection after the given number of body bytes.
    package func closing(after count: Int) -> Behaviour {
        changing { $0.fault = .close(after: count) }
    }

    /// Resets the connection after the given number of body bytes.
    package func resetting(after count: Int) -> Behaviour {
        changing { $0.fault = .reset(after: count) }
    }

    /// Stalls after the given number of body bytes.
    package func stalling(after count: Int, for duration: Duration) -> Behaviour {
        changing { $0.fault = .stall(after: count, duration) }
    }

    /// Sends the body in small chunks with a pause after each.
    package func dripping(_ count: Int, every pause: Duration) -> Behaviour {
        changing { $0.fault = .drip(bytes: count, every: pause) }
    }

    /// Replaces the handling of the request body.
    package func taking(_ intake: ScriptedResponse.Intake) -> Behaviour {
        changing { $0.intake = intake }
    }

    private func changing(_ change: @escaping @Sendable (inout ScriptedResponse) -> Void)
        -> Behaviour
    {
        Behaviour { [respond] request in
            var response = respond(request)
            change(&response)
            return response
        }
    }
}
