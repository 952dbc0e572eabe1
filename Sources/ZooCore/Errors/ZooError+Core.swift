// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension ZooError.Code {
    /// A document is not JSON, or not JSON as RFC 8785 allows it.
    public static let jsonMalformed = Self("json.malformed", .badData)
    /// A JSON object has a duplicate name; programs differ in which value they use.
    public static let jsonDuplicateName = Self("json.duplicate-name", .badData)
    /// A document exceeds the limit on size, depth or number of values.
    public static let jsonTooLarge = Self("json.too-large", .badData)
    /// A stored document is not in canonical form.
    public static let jsonNotCanonical = Self("json.not-canonical", .badData)
    /// A field is missing, has the wrong type, or holds a value outside its range.
    public static let fieldInvalid = Self("format.field-invalid", .badData)
    /// A document declares a format or version that this program does not read.
    public static let formatUnknown = Self("format.unknown", .badData)
    /// A document requires a feature that this program does not support.
    public static let featureRequired = Self("format.feature-required", .badData)
    /// A text is not a digest.
    public static let digestMalformed = Self("digest.malformed", .badData)
    /// A text is not a model reference.
    public static let referenceMalformed = Self("reference.malformed", .usage)
    /// A text is not a version.
    public static let versionMalformed = Self("version.malformed", .badData)
    /// A path inside a release is absolute, contains `..`, or is not portable.
    public static let pathUnsafe = Self("release.path-unsafe", .badData)
    /// Two paths of a release are the same, or the same after case folding.
    public static let pathDuplicate = Self("release.path-duplicate", .badData)
    /// Evidence is about another release.
    public static let evidenceOfAnother = Self("evidence.other-release", .integrity)
    /// A report is not the one that its statement names.
    public static let evidenceChanged = Self("evidence.changed", .integrity)
    /// A validation did not pass.
    public static let evidenceNotPassed = Self("evidence.not-passed", .notPermitted)
    /// An attachment does not have the digest in its name, or the digest or size that its manifest states.
    public static let attachmentChanged = Self("evidence.attachment-changed", .integrity)
    /// The attachments of a release exceed the limits of what is kept.
    public static let attachmentTooLarge = Self("evidence.attachment-too-large", .badData)
    /// There is no evidence that a release was validated.
    public static let evidenceMissing = Self("evidence.missing", .notPermitted)
    /// A block table is inconsistent with itself, its archive or its release record.
    public static let blockTableInvalid = Self("release.block-table-invalid", .badData)
    /// A manifest is inconsistent with its layers or its release record.
    public static let manifestInvalid = Self("release.manifest-invalid", .badData)
    /// An index document is inconsistent.
    public static let indexInvalid = Self("registry.index-invalid", .badData)
    /// A data set was named where a model is needed.
    public static let notAModel = Self("release.not-a-model", .usage)
    /// A model was named where a data set is needed.
    public static let notADataSet = Self("release.not-a-dataset", .usage)
    /// The labels of a data set contradict its files.
    public static let labelsInvalid = Self("dataset.labels-invalid", .badData)
    /// A split of a data set lists a file that is not there.
    public static let splitFileMissing = Self("pack.split-file-missing", .badData)
    /// A split of a data set has no files or no samples.
    public static let splitEmpty = Self("pack.split-empty", .badData)
    /// A file of a data set belongs to no split, and is neither the label table nor a document.
    public static let fileUnassigned = Self("pack.file-unassigned", .badData)
    /// The description of a release is incomplete or inconsistent with its files.
    public static let descriptionInvalid = Self("pack.description-invalid", .badData)
}
