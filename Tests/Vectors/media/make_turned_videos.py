# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes videos with display matrices, and their frames as the ffmpeg program decodes them.

    /usr/bin/python3 make_turned_videos.py

Needs ffmpeg and python3-numpy. Frames are stored as PNG in QuickTime, so that no colour conversion
makes programs differ.
"""

import json
import math
import struct
import subprocess

import make_images
import numpy as np

ONE = 0x10000
# a, b, c, d: a stored point (p, q) is displayed at (a p + c q, b p + d q).
MATRICES = {
    "1": (ONE, 0, 0, ONE), "2": (-ONE, 0, 0, ONE), "3": (-ONE, 0, 0, -ONE), "4": (ONE, 0, 0, -ONE),
    "5": (0, ONE, ONE, 0), "6": (0, ONE, -ONE, 0), "7": (0, -ONE, -ONE, 0), "8": (0, -ONE, ONE, 0),
    "scaled-6": (0, 3 * ONE, -2 * ONE, 0),
    "zeros": (0, 0, 0, 0),
}
REFUSED = {
    "45-degrees": tuple(round(ONE * math.sqrt(0.5) * sign) for sign in (1, 1, -1, 1)),
    "89-degrees": (1144, 65526, -65526, 1144),
    "row-of-zeros": (ONE, 0, ONE, 0),
}


def with_matrix(movie, matrix):
    """Replaces the matrix in the track header of a movie; ISO/IEC 14496-12, section 8.3.2."""
    a, b, c, d = matrix
    place = movie.index(b"tkhd") + 4 + 40
    return movie[:place] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + movie[place + 36 :]


def ffmpeg(*options, **more):
    command = ["ffmpeg", "-v", "error", "-y", *options]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, **more).stdout


def main():
    folder = make_images.HERE / "turned-videos"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    frames = np.stack([make_images.scene(6, 10, seed) for seed in (21, 22)])
    source = folder / "source.mov"
    ffmpeg("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "10x6", "-r", "5", "-i", "-", "-c:v", "png",
           "-fflags", "+bitexact", "-flags", "+bitexact", str(source), input=frames.tobytes())
    movie = source.read_bytes()
    source.unlink()
    expected = {}
    for name, matrix in MATRICES.items():
        path = folder / f"{name}.mov"
        path.write_bytes(with_matrix(movie, matrix))
        pixels = ffmpeg("-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
        is_crossed = abs(matrix[1]) > abs(matrix[0])
        expected[path.name] = np.frombuffer(pixels, np.uint8).reshape(2, *((10, 6) if is_crossed else (6, 10)), 3)
    for name, matrix in REFUSED.items():
        (folder / f"{name}.mov").write_bytes(with_matrix(movie, matrix))
    version = subprocess.run(["ffmpeg", "-version"], stdout=subprocess.PIPE, check=True).stdout.decode().split()[2]
    make_images.VERSIONS["ffmpeg"] = version
    make_images.save_file(expected, make_images.HERE / "turned-videos.safetensors")
    print(json.dumps(make_images.VERSIONS))


if __name__ == "__main__":
    main()
