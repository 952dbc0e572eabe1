// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import PackageDescription

/// Settings of every Swift target: language mode 6, explicit and internal imports, strict memory
/// safety.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Only Homebrew keeps FFmpeg's headers outside the default path; elsewhere pkg-config would only link
/// the libraries, and with them some 130 others that every start of the program would load.
#if os(macOS)
let ffmpegHeaders: String? = "libavformat"
#else
let ffmpegHeaders: String? = nil
#endif

let package = Package(
    name: "ami-zoo",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "ami-zoo", targets: ["ami-zoo"]),
        // Includes the modules whose types are part of its public API.
        .library(
            name: "ZooModels",
            targets: ["ZooModels", "ZooCheckpoint", "ZooTensor", "ZooCore"]
        ),
        .library(
            name: "ZooInference",
            targets: [
                "ZooInference", "ZooModels", "ZooMedia", "ZooCheckpoint", "ZooTensor", "ZooCore",
            ]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        // MARK: Level 0 - values and arithmetic

        // Identities, release record, index documents, canonical JSON, block tables, errors.
        .target(
            name: "ZooCore",
            dependencies: [.product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings
        ),
        // Handles SIGBUS in mapped files: records an unreadable page instead of crashing.
        .target(name: "CFiles"),
        // File access: errors that name the path, durable atomic replacement, mapped files, threads
        // for blocking calls.
        .target(
            name: "ZooFiles",
            dependencies: ["ZooCore", "CFiles"],
            swiftSettings: settings
        ),
        // Vector kernels in C, dispatched at run time.
        .target(name: "CKernels"),
        .systemLibrary(
            name: "COpenBLAS",
            pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"])]
        ),
        // Shapes, tensors, kernels and solvers over BLAS and LAPACK; independent of files and models.
        .target(
            name: "ZooTensor",
            dependencies: ["CKernels", "COpenBLAS"],
            swiftSettings: settings
        ),

        // MARK: Level 1 - one mechanism each

        // The local store (installed releases, staging, cached documents) and the SQLite databases.
        .target(
            name: "ZooStore",
            dependencies: [
                "ZooCore", "ZooFiles", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]
        ),
        // HTTP transfers: ranges, resume, retry, limits.
        .target(
            name: "ZooTransport",
            dependencies: ["ZooCore", "CCurl"],
            swiftSettings: settings
        ),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        // The CRC-32 of ZIP and gzip files.
        .target(name: "CChecksum"),
        .systemLibrary(
            name: "CArchive",
            pkgConfig: "libarchive",
            providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]
        ),
        // Release archives: deterministic packing, blocks, extraction to the final paths. Members of
        // archives that others made; OCI layouts as one tar file.
        .target(
            name: "ZooArchive",
            dependencies: ["ZooCore", "ZooFiles", "CArchive", "CChecksum", "CZstd"],
            swiftSettings: settings
        ),
        // A registry folder: blobs, releases, index documents and their signed metadata, catalogue, locks of
        // its writers.
        .target(
            name: "ZooRegistry",
            dependencies: ["ZooCore", "ZooFiles", "ZooArchive", "ZooStore", "ZooTrust"],
            swiftSettings: settings
        ),
        // Who released what and whether it is current: clients and repositories of The Update Framework
        // (TUF), signatures of models with keys and certificates (OpenSSF Model Signing), policies.
        .target(
            name: "ZooTrust",
            dependencies: [
                "ZooCore", "ZooFiles",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: settings
        ),
        // Reads named tensors from checkpoint files without executing code.
        .target(
            name: "ZooCheckpoint",
            dependencies: ["ZooCore", "ZooFiles", "ZooTensor", "CChecksum"],
            swiftSettings: settings
        ),
        // The headers; CFFmpegShims loads the libraries.
        .systemLibrary(
            name: "CFFmpeg",
            pkgConfig: ffmpegHeaders,
            providers: [
                .apt(["libavformat-dev", "libavcodec-dev", "libavutil-dev", "libswscale-dev"]),
                .brew(["ffmpeg"]),
            ]
        ),
        // Loads FFmpeg when a video is opened, and wraps calls whose types differ between versions,
        // behind opaque handles.
        .target(name: "CFFmpegShims", dependencies: ["CFFmpeg"]),
        .systemLibrary(
            name: "CJPEG",
            pkgConfig: "libjpeg",
            providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]
        ),
        .systemLibrary(
            name: "CPNG",
            pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]
        ),
        .systemLibrary(
            name: "CWebP",
            pkgConfig: "libwebpdemux",
            providers: [.apt(["libwebp-dev"]), .brew(["webp"])]
        ),
        // Decodes image files in memory to RGB; contains the longjmp error handling of libjpeg and
        // libpng.
        .target(
            name: "CImageShims",
            dependencies: ["CJPEG", "CPNG", "CWebP"],
            linkerSettings: ["jpeg", "png", "webpdemux", "webp"].map { .linkedLibrary($0) }
        ),
        // Reads images and video as tensors, with the resampling rules of the reference
        // implementations.
        .target(
            name: "ZooMedia",
            dependencies: ["ZooCore", "ZooFiles", "ZooTensor", "CFFmpegShims", "CImageShims"],
            swiftSettings: settings
        ),

        // MARK: Level 2 - the shelf and the bench

        // Resolves, fetches, installs, verifies and packs; reads a registry folder or any web
        // server.
        .target(
            name: "ZooClient",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooStore", "ZooTransport", "ZooArchive", "ZooRegistry",
                "ZooTrust", .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings
        ),
        // An HTTP and HTTPS server over a registry folder: files, the OCI API, metrics.
        .target(
            name: "ZooServer",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooRegistry", "ZooStore", "ZooTrust",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        // Converts upstream checkpoints to release folders and back: families, names, dtypes.
        .target(
            name: "ZooConvert",
            dependencies: ["ZooCore", "ZooFiles", "ZooTensor", "ZooArchive", "ZooCheckpoint"],
            swiftSettings: settings
        ),
        // JEPA families over shared layers.
        .target(
            name: "ZooModels",
            dependencies: ["ZooCore", "ZooFiles", "ZooTensor", "ZooCheckpoint"],
            swiftSettings: settings
        ),
        // Runs models on files: opens inputs, forms batches, clips, masks and actions, writes
        // features.
        .target(
            name: "ZooInference",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooTensor", "ZooCheckpoint", "ZooMedia", "ZooModels",
            ],
            swiftSettings: settings
        ),

        // MARK: Level 3 - drawings and the program

        // Draws results as SVG or pixels; writes no files.
        .target(
            name: "ZooDrawing",
            dependencies: ["ZooCore", "ZooTensor", "ZooMedia", "ZooModels", "ZooInference"],
            swiftSettings: settings
        ),

        // Evaluation suites, their stored results and reports; models and data are handed in.
        .target(
            name: "ZooEval",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooTensor", "ZooCheckpoint", "ZooMedia", "ZooModels",
            ],
            swiftSettings: settings
        ),

        // The release gate: integrity, rules, parity, suites, claims, regression, evidence.
        .target(
            name: "ZooValidate",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooStore", "ZooArchive", "ZooCheckpoint", "ZooClient",
                "ZooTensor", "ZooTrust", "ZooEval",
            ],
            swiftSettings: settings
        ),

        // The command tree, rendering, exit codes.
        .executableTarget(
            name: "ami-zoo",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooTensor", "ZooStore", "ZooTransport", "ZooArchive",
                "ZooCheckpoint", "ZooClient", "ZooMedia", "ZooModels", "ZooInference",
                "ZooConvert", "ZooServer", "ZooRegistry", "ZooDrawing", "ZooEval",
                "ZooTrust", "ZooValidate",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),

        // MARK: Tests

        // The TUF client of ZooTrust, with the command line of the public conformance suite.
        .executableTarget(
            name: "tuf-conformance-client",
            dependencies: ["ZooCore", "ZooFiles", "ZooTransport", "ZooTrust"],
            swiftSettings: settings
        ),
        // A scripted misbehaving server, nginx, temporary folders.
        .target(
            name: "ZooTesting",
            dependencies: ["ZooCore"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooCoreTests",
            dependencies: ["ZooCore", "ZooTesting"],
            swiftSettings: settings
        ),
        // Files that other processes change, devices, failing disks.
        .testTarget(
            name: "ZooFilesTests",
            dependencies: ["ZooFiles", "ZooCore", "ZooTesting"],
            swiftSettings: settings
        ),
        .testTarget(name: "ZooTensorTests", dependencies: ["ZooTensor"], swiftSettings: settings),
        .testTarget(
            name: "ZooCheckpointTests",
            dependencies: ["ZooCheckpoint", "ZooCore", "ZooFiles", "ZooTensor"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooConvertTests",
            dependencies: [
                "ZooConvert", "ZooCheckpoint", "ZooClient", "ZooCore", "ZooFiles", "ZooMedia",
                "ZooTensor", "ZooTesting",
            ],
            swiftSettings: settings
        ),
        // Compares decoded and resampled pixels and sampled clips with Pillow, OpenCV and PyTorch.
        .testTarget(
            name: "ZooMediaTests",
            dependencies: ["ZooMedia", "ZooCheckpoint", "ZooCore", "ZooTensor"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooModelsTests",
            dependencies: [
                "ZooModels", "ZooCheckpoint", "ZooConvert", "ZooCore", "ZooTensor",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooInferenceTests",
            dependencies: [
                "ZooInference", "ZooCheckpoint", "ZooCore", "ZooFiles", "ZooMedia", "ZooModels",
                "ZooTensor", "ZooTesting",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooEvalTests",
            dependencies: [
                "ZooEval", "ZooCheckpoint", "ZooConvert", "ZooCore", "ZooFiles", "ZooMedia",
                "ZooModels", "ZooTensor", "ZooTesting",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooValidateTests",
            dependencies: ["ZooValidate", "ZooCore", "ZooEval", "ZooFiles", "ZooTrust"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooTransportTests",
            dependencies: ["ZooCore", "ZooTransport", "ZooTesting"],
            swiftSettings: settings
        ),
        // Attacks on a simulated repository; documents of python-tuf; signatures of model-signing.
        .testTarget(
            name: "ZooTrustTests",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooTesting", "ZooTrust",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooArchiveTests",
            dependencies: ["ZooArchive", "ZooCore", "ZooFiles", "ZooTesting"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooClientTests",
            dependencies: [
                "ZooArchive", "ZooClient", "ZooCore", "ZooFiles", "ZooRegistry", "ZooStore",
                "ZooTesting", "ZooTransport", "ZooTrust",
            ],
            swiftSettings: settings
        ),
        // Damaged databases, concurrent writers, ranking of searches.
        .testTarget(
            name: "ZooStoreTests",
            dependencies: ["ZooCore", "ZooFiles", "ZooRegistry", "ZooStore", "ZooTesting"],
            swiftSettings: settings
        ),
        // Runs the program: text, JSON, exit statuses, signals, other programs.
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "ami-zoo", "ZooCheckpoint", "ZooCore", "ZooFiles", "ZooRegistry", "ZooStore",
                "ZooTensor", "ZooTesting",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooServerTests",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooRegistry", "ZooServer", "ZooStore", "ZooTesting",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
    ]
)
