"""Backgrounds without a class: the photos that scikit-image carries, and generated textures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.images import read_image
from sip_explorer.records import SipError

# Photos inside scikit-image's own package (others would have to be fetched), all CC0 or public domain.
# The split is by photo: scenes, surfaces, micrographs and sky stand on both sides.
PHOTOS = {
    "train": (
        "astronaut.png",
        "chelsea.png",
        "motorcycle_left.png",
        "coins.png",
        "clock_motion.png",
        "gravel.png",
        "grass.png",
        "ihc.png",
        "hubble_deep_field.jpg",
    ),
    "test": ("coffee.png", "rocket.jpg", "camera.png", "brick.png", "cell.png", "retina.jpg", "moon.png"),
}
PHOTO_LICENCE = "CC0 or public domain"
TEXTURES = {"train": 120, "test": 60}
_SIDE = 96

_Draws = np.random.Generator
_Plane = NDArray[np.float64]


@dataclass(frozen=True)
class Photo:
    """A picture to cut backgrounds from.

    Attributes
    ----------
    name : str
    pixels : uint8 array (H, W, 3)
    split : str
        "train" or "test": images of the other split never show it.
    generated : bool
        A texture, no photograph.
    """

    name: str
    pixels: NDArray[np.uint8]
    split: str
    generated: bool = False


def backgrounds(seed: int = 0) -> list[Photo]:
    """Return the shipped photos and generated textures of both splits."""
    return [*shipped_photos(), *textures(seed)]


def shipped_photos() -> list[Photo]:
    """Return the photos inside scikit-image's package, in colour; nothing is fetched.

    Raises
    ------
    SipError
        If scikit-image is not installed or one of them is missing.
    """
    try:
        import skimage
    except ImportError as error:
        raise SipError("The photos come with scikit-image: install it (pip install scikit-image).") from error
    folder = Path(skimage.__file__).parent / "data"
    found = []
    for split, names in PHOTOS.items():
        for name in names:
            pixels = read_image(folder / name)
            found.append(Photo(name, np.repeat(pixels, 3, 2) if pixels.shape[2] == 1 else pixels, split))
    return found


def textures(seed: int = 0) -> list[Photo]:
    """Return generated textures, 96 x 96: six families by turns, train and test from other draws."""
    made = []
    families = tuple(_FAMILIES.items())
    for part, (split, count) in enumerate(TEXTURES.items()):
        for number in range(count):
            family, paint = families[number % len(families)]
            draws = np.random.default_rng((seed, part, number))
            pixels = np.clip(paint(draws) * 255, 0, 255).astype(np.uint8)
            made.append(Photo(f"{family} {split} {number}", pixels, split, generated=True))
    return made


def _grid(draws: _Draws) -> tuple[_Plane, _Plane]:
    """Return two coordinates in [-1, 1], turned by a random angle."""
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    angle = draws.uniform(0, np.pi)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _coloured(level: _Plane, draws: _Draws) -> _Plane:
    """Return ``level`` (0 to 1) as a run from one random colour to another."""
    low, high = draws.random((2, 3))
    ramp: _Plane = low + (high - low) * level[..., None]
    return ramp


def _noise(draws: _Draws) -> _Plane:
    """Value noise: octaves of cell size 4 to 48 px with a random roughness."""
    roughness, level, weight = draws.uniform(0.4, 1.1), np.zeros((_SIDE, _SIDE)), 0.0
    for octave, cells in enumerate((2, 4, 8, 16, 24)):
        share = roughness**octave
        level += share * _smooth(draws.random((cells + 1, cells + 1)), cells)
        weight += share
    level /= weight
    return _coloured((level - level.min()) / (level.max() - level.min()), draws)


def _smooth(corners: _Plane, cells: int) -> _Plane:
    at = np.linspace(0, cells, _SIDE, endpoint=False)
    whole = at.astype(np.int64)
    part = at - whole
    part = part * part * (3 - 2 * part)
    rows = corners[whole] * (1 - part[:, None]) + corners[whole + 1] * part[:, None]
    result: _Plane = rows[:, whole] * (1 - part) + rows[:, whole + 1] * part
    return result


def _grain(draws: _Draws) -> _Plane:
    """Noise of every pixel by itself, round a random colour."""
    base, spread = draws.random(3), draws.uniform(0.05, 0.3)
    grain: _Plane = base + draws.normal(0, spread, (_SIDE, _SIDE, 3))
    return grain


def _stripes(draws: _Draws) -> _Plane:
    x, y = _grid(draws)
    bend = draws.uniform(0, 0.2) * np.sin(draws.uniform(2, 8) * y)
    wave = np.sin(draws.uniform(12, 70) * (x + bend))
    return _coloured(np.clip(0.5 + wave * draws.uniform(0.5, 4), 0, 1), draws)


def _gradient(draws: _Draws) -> _Plane:
    x, y = _grid(draws)
    centre = draws.uniform(-1, 1, 2)
    distance = np.hypot(x - centre[0], y - centre[1]) / 2
    return _coloured(np.clip(distance if draws.random() < 0.5 else (x + 1) / 2, 0, 1), draws)


def _checks(draws: _Draws) -> _Plane:
    x, y = _grid(draws)
    cells = draws.uniform(4, 16, 2)
    return _coloured((np.floor(x * cells[0]) + np.floor(y * cells[1])) % 2, draws)


def _voronoi(draws: _Draws) -> _Plane:
    """Cells of one colour each round random points."""
    points = draws.uniform(-1, 1, (int(draws.integers(15, 90)), 2))
    x, y = _grid(draws)
    nearest = np.argmin((x[..., None] - points[:, 0]) ** 2 + (y[..., None] - points[:, 1]) ** 2, axis=-1)
    base = draws.random(3)
    colours = base + draws.uniform(0.2, 0.8) * (draws.random((len(points), 3)) - base)
    result: _Plane = colours[nearest]
    return result


_FAMILIES: dict[str, Callable[[_Draws], _Plane]] = {
    "noise": _noise,
    "grain": _grain,
    "stripes": _stripes,
    "gradient": _gradient,
    "checks": _checks,
    "voronoi": _voronoi,
}


def levels(photo: Photo, size: int) -> Sequence[NDArray[np.uint8]]:
    """Return ``photo`` and its halvings (means of 2 x 2) as long as a crop of ``size`` fits into them.

    Raises
    ------
    SipError
        If it is smaller than one crop.
    """
    pixels = photo.pixels
    if min(pixels.shape[:2]) < size:
        raise SipError(f"The photo {photo.name} is smaller than {size} px: give one that is larger.")
    found = [pixels]
    while min(pixels.shape[:2]) // 2 >= size:
        height, width = (side // 2 for side in pixels.shape[:2])
        quads = pixels[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
        pixels = ((quads.sum((1, 3), dtype=np.uint16) + 2) // 4).astype(np.uint8)
        found.append(pixels)
    return found
