// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The kind of artifact in a release.
public enum ArtifactKind: String, Sendable, CaseIterable {
    /// A model: weights and metadata.
    case model
    /// A data set.
    case dataset

    /// The kind in a message for people.
    public var noun: String {
        switch self {
        case .model: "model"
        case .dataset: "data set"
        }
    }

    /// The OCI artifact type of the manifest.
    public var artifactType: String {
        switch self {
        case .model: "application/vnd.ami.zoo.release.v1"
        case .dataset: "application/vnd.ami.zoo.dataset.v1"
        }
    }

    /// The media type of the record.
    public var recordType: String {
        switch self {
        case .model: "application/vnd.ami.zoo.release.config.v1+json"
        case .dataset: "application/vnd.ami.zoo.dataset.config.v1+json"
        }
    }

    /// The kind of a manifest with this artifact type; nil for artifacts that are not releases.
    public init?(artifactType: String) {
        guard let kind = Self.allCases.first(where: { $0.artifactType == artifactType }) else {
            return nil
        }
        self = kind
    }
}
