// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooServer

/// Everybody reads the namespace `ami`; the token `all` reads every namespace.
struct OneOpenNamespace: AccessPolicy {
    /// Whether requests without a token are told how to get one.
    var challenges = true
    let isWritable = false

    func access(_ credentials: RequestCredentials?, peer: String) async -> Access {
        if credentials == .bearer("all") {
            return Access(subject: "scraper") { action, _ in action == .read }
        }
        return Access(subject: nil) { action, namespace in
            action == .read && namespace == "ami"
        }
    }

    func challenge(scope: String?, origin: String) -> String? {
        challenges ? #"Bearer realm="\#(origin)/token""# : nil
    }
}
