// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import PackageDescription

/// One list for every target: language mode 6, explicit and internal imports, marked unsafety.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "ami-zoo",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "ami-zoo", targets: ["ami-zoo"]),
        // With the modules whose types are part of its interface.
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
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
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
        // Turns a page of a mapped file that cannot be read into a mark instead of a crash.
        .target(name: "CMappings"),
        // Files: reads and writes that name their paths in errors, durable replacement, mapped files,
        // threads for calls that block.
        .target(
            name: "ZooFiles",
            dependencies: ["ZooCore", "CMappings"],
            swiftSettings: settings
        ),
        // The few vector kernels a compiler must see as C, dispatched at run time.
        .target(name: "CKernels"),
        .systemLibrary(
            name: "COpenBLAS",
            pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"])]
        ),
        // Shapes, tensors, kernels over BLAS; knows no files and no models.
        .target(
            name: "ZooTensor",
            dependencies: ["CKernels", "COpenBLAS"],
            swiftSettings: settings
        ),

        // MARK: Level 1 - one mechanism each

        // The local store: installed releases, staging, remembered documents; blobs of a registry.
        .target(name: "ZooStore", dependencies: ["ZooCore", "ZooFiles"], swiftSettings: settings),
        .systemLibrary(
            name: "CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]
        ),
        // HTTP bytes: ranges, resume, retry, limits.
        .target(
            name: "ZooTransport",
            dependencies: ["ZooCore", "CCurl"],
            swiftSettings: settings
        ),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        // Release archives: deterministic packing, blocks, extraction straight into place.
        .target(
            name: "ZooArchive",
            dependencies: ["ZooCore", "ZooFiles", "CZstd"],
            swiftSettings: settings
        ),
        // The checksum of ZIP files.
        .target(name: "CChecksum"),
        // Checkpoint files to named tensors, without executing anything.
        .target(
            name: "ZooCheckpoint",
            dependencies: ["ZooCore", "ZooFiles", "ZooTensor", "CChecksum"],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CFFmpeg",
            pkgConfig: "libavformat",
            providers: [
                .apt(["libavformat-dev", "libavcodec-dev", "libavutil-dev", "libswscale-dev"]),
                .brew(["ffmpeg"]),
            ]
        ),
        // The calls of FFmpeg whose types differ between its versions, behind opaque handles.
        .target(
            name: "CFFmpegShims",
            dependencies: ["CFFmpeg"],
            linkerSettings: ["avformat", "avcodec", "swscale", "avutil"].map { .linkedLibrary($0) }
        ),
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
        // Image files in memory to RGB; errors of libjpeg and libpng, which jump, end here.
        .target(
            name: "CImageShims",
            dependencies: ["CJPEG", "CPNG", "CWebP"],
            linkerSettings: ["jpeg", "png", "webpdemux", "webp"].map { .linkedLibrary($0) }
        ),
        // Images and video to tensors, with the resampling rules of the reference implementations.
        .target(
            name: "ZooMedia",
            dependencies: ["ZooCore", "ZooFiles", "ZooTensor", "CFFmpegShims", "CImageShims"],
            swiftSettings: settings
        ),

        // MARK: Level 2 - the shelf and the bench

        // Resolve, fetch, install, verify, pack: a registry folder or any web server.
        .target(
            name: "ZooClient",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooStore", "ZooTransport", "ZooArchive",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings
        ),
        // A read-only HTTP server over a registry folder.
        .target(
            name: "ZooServer",
            dependencies: [
                "ZooCore",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        // What labs publish to release folders and back: families, names, element types.
        .target(
            name: "ZooConvert",
            dependencies: ["ZooCore", "ZooFiles", "ZooTensor", "ZooCheckpoint"],
            swiftSettings: settings
        ),
        // JEPA families over shared layers; runs without network or database.
        .target(
            name: "ZooModels",
            dependencies: ["ZooCore", "ZooFiles", "ZooTensor", "ZooCheckpoint"],
            swiftSettings: settings
        ),
        // From paths to numbers: opening inputs, batches, clips, masks and actions, writing features.
        .target(
            name: "ZooInference",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooTensor", "ZooCheckpoint", "ZooMedia", "ZooModels",
            ],
            swiftSettings: settings
        ),

        // MARK: Level 3 - the program

        // The command tree, rendering, exit codes.
        .executableTarget(
            name: "ami-zoo",
            dependencies: [
                "ZooCore", "ZooFiles", "ZooTensor", "ZooStore", "ZooTransport", "ZooArchive",
                "ZooCheckpoint", "ZooClient", "ZooMedia", "ZooModels", "ZooInference",
                "ZooConvert", "ZooServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),

        // MARK: Tests

        // A scripted hostile server, nginx, temporary folders.
        .target(
            name: "ZooTesting",
            dependencies: ["ZooCore"],
            swiftSettings: settings
        ),
        .testTarget(name: "ZooCoreTests", dependencies: ["ZooCore"], swiftSettings: settings),
        // Files that other processes change, devices, disks that fail.
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
                "ZooConvert", "ZooCheckpoint", "ZooCore", "ZooFiles", "ZooTensor", "ZooTesting",
            ],
            swiftSettings: settings
        ),
        // Decoded pixels, resampled pixels and sampled clips against those of Pillow, OpenCV, PyTorch.
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
            name: "ZooTransportTests",
            dependencies: ["ZooCore", "ZooTransport", "ZooTesting"],
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
                "ZooArchive", "ZooClient", "ZooCore", "ZooFiles", "ZooStore", "ZooTesting",
                "ZooTransport",
            ],
            swiftSettings: settings
        ),
        // The program as its users run it: text, JSON, exit statuses, signals, other programs.
        .testTarget(
            name: "CommandTests",
            dependencies: ["ami-zoo", "ZooCheckpoint", "ZooCore", "ZooTensor", "ZooTesting"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZooServerTests",
            dependencies: [
                "ZooCore", "ZooServer", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
    ]
)
