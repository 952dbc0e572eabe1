// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What a release is of.
public enum ArtifactKind: String, Sendable, CaseIterable {
    /// A model: weights and what describes them.
    case model
    /// A data set.
    case dataset

    /// The OCI artifact type of its manifest.
    public var artifactType: String {
        switch self {
        case .model: "application/vnd.ami.zoo.release.v1"
        case .dataset: "application/vnd.ami.zoo.dataset.v1"
        }
    }

    /// The media type of its record.
    public var recordType: String {
        switch self {
        case .model: "application/vnd.ami.zoo.release.config.v1+json"
        case .dataset: "application/vnd.ami.zoo.dataset.config.v1+json"
        }
    }

    init?(artifactType: String) {
        guard let kind = Self.allCases.first(where: { $0.artifactType == artifactType }) else {
            return nil
        }
        self = kind
    }
}
