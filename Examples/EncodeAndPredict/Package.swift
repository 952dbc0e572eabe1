// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import PackageDescription

let package = Package(
    name: "encode-and-predict",
    platforms: [.macOS(.v15)],
    dependencies: [
        // In a package of your own: .package(url: "…", from: "0.1.0").
        .package(name: "ami-zoo", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "encode-and-predict",
            dependencies: [.product(name: "ZooModels", package: "ami-zoo")],
            path: "Sources"
        ),
        .executableTarget(
            name: "embed-image",
            dependencies: [.product(name: "ZooInference", package: "ami-zoo")],
            path: "EmbedImage"
        ),
    ]
)
