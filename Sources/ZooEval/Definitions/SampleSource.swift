// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Where the samples of a suite come from: `data` of a definition, `registry/SPEC.md` section 13.
package enum SampleSource: Sendable, Equatable {
    /// A split of a released data set.
    case dataSet(DataSet)
    /// Episodes of an environment that this program simulates.
    case environment(EnvironmentID)
    /// Data that the user holds.
    case held(HeldSource)
    /// Files of the measured release itself.
    case release

    /// A split of a released data set.
    package struct DataSet: Sendable, Equatable {
        /// The name.
        package let name: ModelName
        /// The version.
        package let version: SemanticVersion
        /// The digest of its manifest.
        package let digest: ContentDigest
        /// The split.
        package let split: String
    }

    /// The rules of a simulated environment; a change that changes episodes has another version.
    package struct EnvironmentID: Hashable, Sendable, CustomStringConvertible {
        /// The name, such as `two-rooms`.
        package let name: String
        /// The version.
        package let version: Int

        /// Names an environment.
        package init(name: String, version: Int) {
            self.name = name
            self.version = version
        }

        /// Such as `two-rooms/1`.
        package var description: String { "\(name)/\(version)" }
    }

    private enum Kind: String, CaseIterable { case dataset, environment, held, release }

    init(_ object: JSONObject) throws(ZooError) {
        switch try object.choice("kind", of: Kind.self) {
        case .dataset:
            self = .dataSet(
                DataSet(
                    name: try object.modelName("name"),
                    version: try object.version("version"),
                    digest: try object.digest("digest"),
                    split: try object.string("split", maximum: 64)
                )
            )
        case .environment:
            self = .environment(
                EnvironmentID(
                    name: try object.string("name", maximum: 64),
                    version: try object.integer("version", in: 1...1000)
                )
            )
        case .held: self = .held(try HeldSource(object))
        case .release: self = .release
        }
    }

    /// The canonical form of `data`.
    package var json: JSONValue {
        switch self {
        case .dataSet(let data):
            [
                "kind": .string(Kind.dataset.rawValue), "name": .string(data.name.description),
                "version": .string(data.version.description),
                "digest": .string(data.digest.description), "split": .string(data.split),
            ]
        case .environment(let id):
            [
                "kind": .string(Kind.environment.rawValue), "name": .string(id.name),
                "version": .integer(id.version),
            ]
        case .held(let source): source.json
        case .release: ["kind": .string(Kind.release.rawValue)]
        }
    }
}

extension SampleSource: CustomStringConvertible {
    /// Such as `ami/ball-drop-clips:1.0.0, split 'held-out'`.
    package var description: String {
        switch self {
        case .dataSet(let data): "\(data.name):\(data.version), split '\(data.split)'"
        case .environment(let id): "environment \(id)"
        case .held(let source): "held data '\(source.name)', split '\(source.split)'"
        case .release: "files of the release"
        }
    }
}
