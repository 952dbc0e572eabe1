// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooFiles
internal import ZooRegistry
internal import ZooServer
internal import ZooStore

/// Options of `serve` for accounts.
struct AccessOptions: ParsableArguments {
    @Option(help: "The folder with the accounts of 'ami-zoo token'; default: no accounts.")
    var state: String?

    @Flag(help: "Let clients without a token read; requires --state.")
    var anonymousRead = false

    @Option(
        help: ArgumentHelp(
            "Requests per second of each token, and of each address without a valid one; requires "
                + "--state. Default: no limit."
        )
    )
    var rateLimit: Int?

    @Option(
        help:
            "Bytes that each token may upload in a day (UTC); requires --state. Default: no limit."
    )
    var quota: Int?

    func validate() throws {
        if state == nil, anonymousRead || rateLimit != nil || quota != nil {
            throw ValidationError("--anonymous-read, --rate-limit and --quota require --state")
        }
        if let rateLimit, !(1...1_000_000).contains(rateLimit) {
            throw ValidationError("--rate-limit must be 1 to 1000000")
        }
        if let quota, quota < 1 { throw ValidationError("--quota must be at least 1") }
    }

    /// The policy of a registry; nil without accounts.
    ///
    /// - Parameter prefix: the prefix under which the registry is mounted, which has accounts of its
    ///   own and no anonymous readers; nil at the root.
    /// - Returns: the policy.
    /// - Throws: ``ZooError`` with an `accounts.*` or `database.*` code, or `io.*`.
    func policy(prefix: String? = nil) async throws -> TokenPolicy? {
        guard let state else { return nil }
        let path = FileSystem.absolute(state) + (prefix.map { "/\($0)" } ?? "")
        var settings = TokenPolicy.Settings()
        settings.anonymousRead = anonymousRead && prefix == nil
        settings.rateLimit = rateLimit
        settings.quota = quota
        settings.prefix = prefix
        let accounts = try await BlockingWork.run { _ in try AccountDatabase(state: path) }
        return TokenPolicy(accounts, settings, date: Clock.seconds)
    }
}
