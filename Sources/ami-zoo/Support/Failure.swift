// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore

extension ZooError.Category {
    /// The documented exit status, from sysexits.h where it defines one.
    var exitStatus: Int32 {
        switch self {
        case .usage: 64
        case .badData: 65
        case .notFound: 66
        case .unreachable: 69
        case .inputOutput: 74
        case .integrity: 76
        case .notPermitted: 77
        }
    }
}

/// Reports a failure on standard error or as JSON, and through the exit status.
enum Failure {
    /// The status of a process that SIGINT ended, as shells report it.
    private static let interrupted: Int32 = 130

    /// Prints the error and returns an error that ends the process with its exit status.
    static func show(_ error: any Error, json: Bool) -> any Error {
        switch error {
        case let error as ZooError:
            if json {
                Console.print(document(error).prettyText, terminator: "")
            } else {
                Console.note("error: \(error.message) [\(error.code)]")
                var cause = error.cause
                while let inner = cause as? ZooError {
                    Console.note("  caused by: \(inner.message) [\(inner.code)]")
                    cause = inner.cause
                }
                if let remedy = error.remedy { Console.note("  remedy: \(remedy)") }
            }
            return ExitCode(error.code.category.exitStatus)
        case is CancellationError:
            Console.note("interrupted")
            return ExitCode(interrupted)
        default:
            return error
        }
    }

    private static func document(_ error: ZooError) -> JSONValue {
        var members: [String: JSONValue] = [
            "code": .string(error.code.rawValue), "message": .string(error.message),
        ]
        if let remedy = error.remedy { members["remedy"] = .string(remedy) }
        return ["error": .object(members)]
    }
}
