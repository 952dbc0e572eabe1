# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Small pictures of one to three objects of one shape and one colour.

All objects of a picture have one of six shapes and one of six hues; place, size, rotation and brightness differ from object to
object, and objects may overlap a little. All shapes are drawn with the same range of areas and are cut by the border in the
same way, so that neither tells the shape. The background is a dark grey. Pixels are 8-bit RGB in 32 levels: the lower bits
would only make the data set larger.

Everything follows from a seed: `images(seed, n)` always gives the same pictures, and others for each `n`.

    python generator.py --output sheet.png          # a sheet of pictures, needs Pillow
"""

from __future__ import annotations

import argparse

import numpy as np

SIDE = 32
SHAPES = ("disc", "ring", "square", "triangle", "cross", "bar")
COLOURS = ("red", "yellow", "green", "cyan", "blue", "magenta")
MOST = 3  # objects of a picture
SIZE = (4.8, 6.0)  # px: the radius of a disc of the same area
REACH = 1.35  # about the distance from the middle to the farthest point, over the size, of the average shape
TILT = 0.25  # radians: the largest rotation
LEVELS = 32


def distances(shape: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Signed distances to the outlines of shapes of the area pi, negative inside; all arguments broadcast.

    Outside of corners they are the largest distance to an edge's line, which is less than the Euclidean distance.
    """
    radius = np.hypot(x, y)
    ax, ay = np.abs(x), np.abs(y)

    def box(half_x: float, half_y: float) -> np.ndarray:
        return np.maximum(ax - half_x, ay - half_y)

    inner, outer = 0.663, 1.2  # outer^2 - inner^2 = 1
    triangle = np.maximum(-y, 0.5 * y + np.sqrt(0.75) * ax) - 0.7776  # the inradius
    return np.select(
        [shape == index for index in range(len(SHAPES))],
        [
            radius - 1,
            np.maximum(radius - outer, inner - radius),
            box(0.8862, 0.8862),
            triangle,
            np.minimum(box(1.29, 0.373), box(0.373, 1.29)),
            box(1.4012, 0.5605),
        ],
    )


def from_hue(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """HSV, each 0 to 1 [..], to RGB [.., 3]."""
    sector = (hue[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    pure = np.clip(np.abs(sector - 3) - 1, 0, 1)
    return value[..., None] * (1 - saturation[..., None] * (1 - pure))


def places(rng: np.random.Generator, reach: np.ndarray) -> np.ndarray:
    """Middles [n, MOST, 2] of discs of the radii `reach` [n, MOST] that avoid each other: the best of 24 drawn places."""
    n, tries = len(reach), 24
    out = np.empty((n, MOST, 2))
    for index in range(MOST):
        edge = 0.4 * reach[:, index, None, None]
        drawn = edge + (SIDE - 2 * edge) * rng.random((n, tries, 2))
        gap = np.full((n, tries), np.inf)
        for other in range(index):
            apart = np.linalg.norm(drawn - out[:, None, other], axis=-1)
            gap = np.minimum(gap, apart - (reach[:, index] + reach[:, other])[:, None])
        # The first place with a gap of a pixel, otherwise the one with the largest gap.
        chosen = np.argmax(np.where(gap >= 1, 1e3, gap), 1)
        out[:, index] = drawn[np.arange(n), chosen]
    return out


def images(seed: int | list[int], n: int) -> dict[str, np.ndarray]:
    """`n` pictures: images U8 [n, SIDE, SIDE, 3] and the labels shape and colour (indices) and count, each F32 [n, 1]."""
    rng = np.random.default_rng(seed)
    shape, colour = rng.integers(len(SHAPES), size=n), rng.integers(len(COLOURS), size=n)
    count = rng.integers(1, MOST + 1, size=n)
    axis = np.arange(SIDE) + 0.5
    y, x = axis[:, None], axis[None, :]

    picture = np.tile(rng.uniform(0.05, 0.25, (n, 1, 1, 1)), (1, SIDE, SIDE, 3))
    size = rng.uniform(*SIZE, (n, MOST))
    middle = places(rng, size * REACH)
    angle = rng.uniform(-TILT, TILT, (n, MOST))
    hue = (colour[:, None] + rng.uniform(-0.2, 0.2, (n, 1)) + rng.uniform(-0.05, 0.05, (n, MOST))) / len(COLOURS)
    paint = from_hue(hue % 1, rng.uniform(0.8, 1, (n, MOST)), rng.uniform(0.8, 1, (n, MOST)))
    for index in range(MOST):
        cos, sin = (f(angle[:, index])[:, None, None] / size[:, index, None, None] for f in (np.cos, np.sin))
        dx, dy = x - middle[:, index, 0, None, None], y - middle[:, index, 1, None, None]
        away = distances(shape[:, None, None], cos * dx + sin * dy, cos * dy - sin * dx)
        cover = np.clip(0.5 - away * size[:, index, None, None], 0, 1) * (index < count)[:, None, None]
        picture += cover[..., None] * (paint[:, index, None, None] - picture)

    levels = np.rint(picture * (LEVELS - 1))
    labels = {"shape": shape, "colour": colour, "count": count}
    return {"images": np.rint(levels * 255 / (LEVELS - 1)).astype(np.uint8)} | {
        name: values.astype(np.float32)[:, None] for name, values in labels.items()
    }


def main() -> None:
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows, columns = 6, 12
    pictures = images(options.seed, rows * columns)["images"].reshape(rows, columns, SIDE, SIDE, 3)
    sheet = pictures.transpose(0, 2, 1, 3, 4).reshape(rows * SIDE, columns * SIDE, 3)
    Image.fromarray(sheet).resize((3 * columns * SIDE, 3 * rows * SIDE), Image.Resampling.NEAREST).save(options.output)


if __name__ == "__main__":
    main()
