// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension TrustPolicy {
    private static let format = "ami-zoo.policy/1"

    /// Reads a policy.
    ///
    /// Unknown fields are refused: a requirement with a typing error must not be ignored.
    ///
    /// - Parameters:
    ///   - object: the document.
    ///   - path: the file, for errors.
    /// - Throws: ``ZooError`` with code `policy.invalid`.
    package init(_ object: JSONObject, path: String) throws(ZooError) {
        do throws(ZooError) {
            try object.requireFormat(Self.format)
            try object.requireOnly(["format", "signers", "rules"])
            let signers = try Self.signers(try object.optionalObject("signers"))
            var rules: [Rule] = []
            for rule in try object.objects("rules", maximum: 1000) {
                rules.append(try Rule(rule, signers))
            }
            guard !rules.isEmpty else {
                throw object.invalid("rules", "is empty, so that every release would be refused")
            }
            self.init(signers: signers, rules: rules)
        } catch {
            throw ZooError(
                .policyInvalid,
                "the policy '\(path)' is not valid: \(error.message)",
                remedy: "correct the file; 'Policy' in docs/commands.md has an example",
                cause: error
            )
        }
    }

    private static func signers(
        _ object: JSONObject?
    ) throws(ZooError) -> [String: Set<ReleaseFacts.Signer>] {
        guard let object else { return [:] }
        var signers: [String: Set<ReleaseFacts.Signer>] = [:]
        var owners: [ReleaseFacts.Signer: String] = [:]
        for name in object.members.keys.sorted() {
            let signer = try object.object(name)
            try signer.requireOnly(["keys", "certificates"])
            var identities: Set<ReleaseFacts.Signer> = []
            for hint in try signer.optionalStrings("keys") {
                guard let digest = try? ContentDigest(hex: hint) else {
                    throw signer.invalid("keys", "has '\(hint)', not 64 hexadecimal digits")
                }
                identities.insert(.key(digest.hex))
            }
            if signer.value("certificates") != nil {
                for certificate in try signer.objects("certificates", maximum: 100) {
                    try certificate.requireOnly(["identity", "issuer"])
                    identities.insert(
                        .certificate(
                            identity: try certificate.string("identity", maximum: 1024),
                            issuer: try certificate.string("issuer", maximum: 1024)
                        )
                    )
                }
            }
            guard !identities.isEmpty else {
                throw object.invalid(name, "has neither keys nor certificates")
            }
            for identity in identities {
                // One key must not count twice towards a threshold.
                if let other = owners.updateValue(name, forKey: identity) {
                    throw object.invalid(name, "has a key or certificate of '\(other)'")
                }
            }
            signers[name] = identities
        }
        return signers
    }
}

extension TrustPolicy.Rule {
    fileprivate init(
        _ object: JSONObject,
        _ signers: [String: Set<ReleaseFacts.Signer>]
    ) throws(ZooError) {
        try object.requireOnly([
            "registry", "namespace", "name", "anchor", "signatures", "current", "logged",
            "evidence",
            "licences", "maximumAgeDays",
        ])
        registry = try object.optionalString("registry", maximum: 4096)
        namespace = try object.optionalString("namespace")
        name = object.value("name") == nil ? nil : try object.modelName("name")
        guard namespace == nil || name == nil else {
            throw object.invalid("name", "stands beside 'namespace'; give one of them")
        }
        if let namespace, (try? ModelName(parsing: "\(namespace)/x")) == nil {
            throw object.invalid("namespace", "'\(namespace)' is not a namespace")
        }
        if object.value("anchor") == nil {
            anchors = nil
        } else {
            var found: [ReleaseFacts.Anchor] = []
            for text in try object.strings("anchor", maximum: 16) {
                guard let anchor = ReleaseFacts.Anchor(rawValue: text) else {
                    let known = ReleaseFacts.Anchor.allCases.map(\.rawValue).joined(separator: ", ")
                    throw object.invalid("anchor", "has '\(text)', and must have some of \(known)")
                }
                found.append(anchor)
            }
            guard !found.isEmpty else { throw object.invalid("anchor", "is empty") }
            anchors = found
        }
        signatures = try object.optionalObject("signatures").map { value throws(ZooError) in
            try TrustPolicy.Signatures(value, signers)
        }
        isCurrent = try object.demand("current")
        isLogged = try object.demand("logged")
        evidence = try object.optionalObject("evidence").map { value throws(ZooError) in
            try TrustPolicy.Evidence(value, signers)
        }
        if object.value("licences") == nil {
            licences = nil
        } else {
            var found: [LicenceExpression] = []
            for text in try object.strings("licences", maximum: 1000) {
                let licence = try LicenceExpression(parsing: text)
                guard case .licence = licence else {
                    throw object.invalid("licences", "has '\(text)'; list each licence alone")
                }
                found.append(licence)
            }
            guard !found.isEmpty else { throw object.invalid("licences", "is empty") }
            licences = found
        }
        maximumAge = try object.optionalInteger("maximumAgeDays", in: 1...36_500)
    }
}

extension TrustPolicy.Signatures {
    fileprivate init(
        _ object: JSONObject,
        _ signers: [String: Set<ReleaseFacts.Signer>]
    ) throws(ZooError) {
        try object.requireOnly(["signers", "threshold"])
        let names = try object.strings("signers", maximum: 100)
        for name in names where signers[name] == nil {
            throw object.invalid("signers", "has '\(name)', which the policy does not define")
        }
        guard !names.isEmpty, Set(names).count == names.count else {
            throw object.invalid("signers", "is empty, or has a name twice")
        }
        self.signers = names
        threshold = try object.optionalInteger("threshold", in: 1...names.count) ?? 1
    }
}

extension TrustPolicy.Evidence {
    fileprivate init(
        _ object: JSONObject,
        _ signers: [String: Set<ReleaseFacts.Signer>]
    ) throws(ZooError) {
        try object.requireOnly(["passed", "signatures", "maximumAgeDays"])
        guard try object.demand("passed") else {
            throw object.invalid("passed", "is missing; write 'passed: true'")
        }
        signatures = try object.optionalObject("signatures").map { value throws(ZooError) in
            try TrustPolicy.Signatures(value, signers)
        }
        maximumAge = try object.optionalInteger("maximumAgeDays", in: 1...36_500)
    }
}

extension JSONObject {
    /// Refuses members that the format does not define.
    fileprivate func requireOnly(_ known: Set<String>) throws(ZooError) {
        if let name = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw invalid(name, "is not known; known are \(known.sorted().joined(separator: ", "))")
        }
    }

    /// A requirement that is there, as `true`, or not.
    fileprivate func demand(_ name: String) throws(ZooError) -> Bool {
        guard let value = try optionalBool(name) else { return false }
        guard value else { throw invalid(name, "is false; leave it out to require nothing") }
        return true
    }

    fileprivate func optionalStrings(_ name: String) throws(ZooError) -> [String] {
        value(name) == nil ? [] : try strings(name, maximum: 100)
    }
}
