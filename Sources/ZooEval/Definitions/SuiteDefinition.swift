// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a suite measures on which data: a document of a release, `registry/SPEC.md` section 13.
///
/// The document says nothing about code, so that its digest names a measurement that anybody can repeat.
package struct SuiteDefinition: Sendable {
    /// The name of the document format.
    package static let format = "ami-zoo.suite/1"
    /// The folder of a release that holds the definitions, one file each.
    package static let folder = "suites"
    /// The largest size of a document, in bytes.
    package static let limit = 1 << 20

    /// The name of this measurement, such as `trajectory`: one word, unique in a release.
    package let name: String
    /// The suite that measures it.
    package let suite: SuiteID
    /// Where the samples come from.
    package let data: SampleSource
    /// The parameters of the suite; each suite has its own.
    let parameters: JSONObject
    /// What is measured.
    package let metrics: [MetricDefinition]
    /// The seed of what is drawn at random.
    package let seed: Int
    /// The digest of the canonical form.
    package let digest: ContentDigest

    /// Parses a document.
    ///
    /// - Parameter bytes: JSON text, which need not be canonical.
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `reference.*` code, or
    ///   `evaluation.suite-unknown`.
    package init(parsing bytes: [UInt8]) throws(ZooError) {
        let value = try JSONValue(
            parsing: bytes,
            limits: JSONValue.Limits(bytes: Self.limit, depth: 16, values: 100_000)
        )
        let object = try JSONObject(value)
        try object.requireFormat(Self.format)
        let name = try object.string("name", maximum: 64)
        guard ModelName.isWord(name) else { throw object.invalid("name", "is not a word") }
        self.name = name
        suite = try SuiteID(
            name: object.string("suite", maximum: 64),
            version: object.integer("suiteVersion", in: 1...1000)
        )
        data = try SampleSource(object.object("data"))
        parameters = try object.object("parameters")
        var metrics: [MetricDefinition] = []
        for item in try object.objects("metrics", maximum: 1000) {
            let metric = try MetricDefinition(item)
            guard !metrics.contains(where: { $0.name == metric.name }) else {
                throw item.invalid("name", "is used twice")
            }
            metrics.append(metric)
        }
        self.metrics = metrics
        seed = try object.integer("seed", in: 0...JSONValue.largestInteger)
        digest = ContentDigest(of: value.canonicalBytes)
    }

    /// The split of a data set, or of held data, that is measured on.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid` when the samples come from elsewhere.
    func split() throws(ZooError) -> String {
        if case .held(let source) = data { return source.split }
        return try dataSet().split
    }

    /// The held data that are measured on.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid` when the samples come from elsewhere.
    func heldSource() throws(ZooError) -> HeldSource {
        if case .held(let source) = data { return source }
        throw ZooError(
            .fieldInvalid,
            "'data' of the suite definition '\(name)' is \(data), and \(suite) measures on held data",
            remedy: "set 'kind' of 'data' to 'held'"
        )
    }

    /// The data set that is measured on.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid` when the samples come from elsewhere.
    func dataSet() throws(ZooError) -> SampleSource.DataSet {
        if case .dataSet(let set) = data { return set }
        throw ZooError(
            .fieldInvalid,
            "'data' of the suite definition '\(name)' is \(data), and \(suite) measures on a data set",
            remedy: "set 'kind' of 'data' to 'dataset'"
        )
    }
}

/// The method of a measurement; a change that changes results has another version.
package struct SuiteID: Hashable, Sendable, CustomStringConvertible {
    /// The name, such as `trajectory`.
    package let name: String
    /// The version of the method.
    package let version: Int

    /// Names a suite.
    package init(name: String, version: Int) {
        self.name = name
        self.version = version
    }

    /// Such as `trajectory/1`.
    package var description: String { "\(name)/\(version)" }
}

/// What a number means.
package struct MetricDefinition: Hashable, Sendable {
    /// Whether lower or higher values are better.
    package typealias Direction = ReleaseRecord.EvaluationClaim.Direction

    /// The name, unique in a suite.
    package let name: String
    /// The unit, such as `px` or `fraction`.
    package let unit: String
    /// Whether lower or higher values are better.
    package let direction: Direction

    /// Describes a metric.
    package init(_ name: String, unit: String, better direction: Direction) {
        self.name = name
        self.unit = unit
        self.direction = direction
    }

    init(_ object: JSONObject) throws(ZooError) {
        name = try object.string("name")
        unit = try object.string("unit", maximum: 32)
        direction = try object.choice("direction", of: Direction.self)
    }

    var json: JSONValue {
        [
            "name": .string(name), "unit": .string(unit), "direction": .string(direction.rawValue),
        ]
    }
}
