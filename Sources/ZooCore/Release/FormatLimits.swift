// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The maximum sizes and counts that this program accepts, as stated in `registry/SPEC.md`.
public enum FormatLimits {
    /// Bytes of `zoo.json`.
    public static let registryDescription = 64 << 10
    /// Bytes of an index document.
    public static let indexDocument = 8 << 20
    /// Bytes of a manifest.
    public static let manifest = 1 << 20
    /// Bytes of a manifest of any artifact; the OCI specification asks for at least 4 MiB.
    public static let artifactManifest = 4 << 20
    /// Bytes of a release record.
    public static let record = 4 << 20
    /// Bytes of a block table.
    public static let blockTable = 64 << 20
    /// Bytes of the OCI `index.json` at the top of a registry.
    public static let imageIndex = 64 << 20
    /// Bytes of `catalogue.json`.
    public static let catalogue = 8 << 20
    /// Segments of a catalogue.
    public static let segments = 20_000
    /// Entries of one catalogue segment.
    public static let segmentEntries = 65_536
    /// Bytes of one decompressed catalogue segment.
    public static let segment = 256 << 20
    /// Bytes of any one file or archive: 2^45 (32 TiB), which JSON integers represent exactly.
    public static let largestFile = 1 << 45
    /// Files of one release.
    public static let files = 10_000
    /// Archives of one release.
    public static let archives = 64
    /// Layers of one manifest: archives, block tables and optional layers.
    public static let layers = 192
    /// Versions in one index document.
    public static let versions = 10_000
    /// Blocks in one block table.
    public static let blocks = 200_000
    /// Raw bytes of one block.
    public static let block = 4 << 20
    /// Bytes of one encoded block, which exceeds the raw block when the content is incompressible.
    ///
    /// Source: `ZSTD_COMPRESSBOUND`, zstd.h: size + size/256 and a margin for small inputs.
    public static let encodedBlock = (4 << 20) + (4 << 12) + 512
}
