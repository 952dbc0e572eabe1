// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The stable name of a model family in release records and catalogue entries.
///
/// This is the only list of family names. Release records store the family as text, because a record
/// may name a family that this version does not know.
public enum FamilyID: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    /// I-JEPA.
    case ijepa
    /// V-JEPA.
    case vjepa
    /// Attentive probes of V-JEPA.
    case vjepaProbe = "vjepa-probe"
    /// V-JEPA 2.
    case vjepa2
    /// Attentive probes of V-JEPA 2.
    case vjepa2Probe = "vjepa2-probe"
    /// V-JEPA 2 with a classifier, in the format of transformers.
    case vjepa2Classifier = "vjepa2-classifier"
    /// V-JEPA 2-AC.
    case vjepa2AC = "vjepa2-ac"
    /// V-JEPA 2.1.
    case vjepa21 = "vjepa2.1"
    /// JEPA-WM.
    case jepaWM = "jepa-wm"
    /// DINO-WM.
    case dinoWM = "dino-wm"
    /// LeWM.
    case lewm
    /// A JEPA over windows of multichannel time series.
    case seriesJEPA = "series-jepa"

    /// The text form.
    public var description: String { rawValue }

    /// The name used in papers.
    public var title: String {
        switch self {
        case .ijepa: "I-JEPA"
        case .vjepa: "V-JEPA"
        case .vjepaProbe: "V-JEPA probe"
        case .vjepa2: "V-JEPA 2"
        case .vjepa2Probe: "V-JEPA 2 probe"
        case .vjepa2Classifier: "V-JEPA 2 classifier"
        case .vjepa2AC: "V-JEPA 2-AC"
        case .vjepa21: "V-JEPA 2.1"
        case .jepaWM: "JEPA-WM"
        case .dinoWM: "DINO-WM"
        case .lewm: "LeWM"
        case .seriesJEPA: "Series JEPA"
        }
    }

    /// The value of `model_type` in `config.json`.
    public var modelType: String {
        switch self {
        case .ijepa, .vjepa, .vjepa2, .lewm: rawValue
        case .vjepaProbe: "vjepa_probe"
        case .vjepa2Probe: "vjepa2_probe"
        case .vjepa2Classifier: "vjepa2"
        case .vjepa2AC: "vjepa2_ac"
        case .vjepa21: "vjepa2_1"
        case .jepaWM: "jepa_wm"
        case .dinoWM: "dino_wm"
        case .seriesJEPA: "series_jepa"
        }
    }

    /// Whether releases contain a probe without its backbone.
    public var isProbe: Bool { self == .vjepaProbe || self == .vjepa2Probe }
}
