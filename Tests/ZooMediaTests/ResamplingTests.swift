// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooTensor

@testable import ZooMedia

/// Scaled pictures against the libraries that the resamplers are named after.
@Suite struct ResamplingTests {
    static let cases = expectedNames("resampling").filter { $0 != "input" }

    @Test("bytes are equal to the reference", arguments: cases)
    func bytes(_ name: String) throws {
        let vectors = try Expectations("resampling")
        let expected = try vectors.image(name)
        let resampler = try #require(Resampler(rawValue: String(name.split(separator: ".")[0])))
        let scaled = try vectors.image("input").resized(
            width: expected.width,
            height: expected.height,
            by: resampler
        )
        #expect(scaled == expected, "\(Difference(scaled, expected))")
    }

    /// Levels of 0 to 255 in float32: PyTorch rounds weights and sums at other places, which shows in
    /// the seventh digit.
    static let tolerance: Float = 5e-4

    @Test("floats are equal to PyTorch's, but for rounding")
    func floats() throws {
        let vectors = try Expectations("resampling-float")
        let input = try Expectations("resampling").image("input").levels
        for name in vectors.names {
            let expected = try vectors.tensor(name)
            let scaled = FloatResampling.bilinear(
                input,
                width: expected.shape[2],
                height: expected.shape[1],
                antialias: name.hasPrefix("float-antialias")
            )
            #expect(difference(scaled, expected) < Self.tolerance, "\(name)")
        }
    }
}
