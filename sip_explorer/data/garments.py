"""“Garments on photos”: Fashion-MNIST garments on backgrounds that say nothing about the class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.backgrounds import Photo, levels
from sip_explorer.records import SipError

_CHUNK = 1000  # images pasted at once, which bounds the memory
_PHOTO_SHARE = 0.6  # of the images lie on a photo, the others on a texture
_CLOTH = 12  # grey levels from which a pixel of Fashion-MNIST is cloth; below is scanner noise
_LEAST = 1 / 8  # alpha below which a garment's edge is left off, so that the mask is exact
_LEAST_SCALE = 0.72  # garment's canvas of 28 x 28 against 7/8 of the image's side
_DRAWS = 32
_Array = NDArray[np.float32]


@dataclass(frozen=True)
class GarmentsOnPhotos:
    """The data set: row i of each array is one image.

    Attributes
    ----------
    images : uint8 array (N, H, W, 3)
    masks : uint8 array (N, H, W)
        255 where the garment is; everywhere else (0) the image is the bare background.
    labels : int64 array (N,)
    split : str array (N,), "train" or "test"
    photo : int64 array (N,)
        Which of the given photos lies behind.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    labels: NDArray[np.int64]
    split: NDArray[np.str_]
    photo: NDArray[np.int64]


def garments_on_photos(
    garments: NDArray[np.uint8],
    labels: NDArray[np.integer],
    split: Sequence[str] | NDArray[np.str_],
    photos: Sequence[Photo],
    *,
    size: int = 32,
    seed: int = 0,
    least_contrast: float = 0.35,
    least_scale: float = _LEAST_SCALE,
) -> GarmentsOnPhotos:
    """Paste each garment, tinted, at a random place and scale on a random crop of a photo.

    What is drawn for an image depends on ``seed``, its row and the photos of its split, never on its
    label or on other images. A garment's colour may come near to that of its background.

    Parameters
    ----------
    garments : uint8 array (N, 28, 28)
        Fashion-MNIST: grey cloth on 0.
    labels : integers (N,)
    split : N strings, "train" or "test"
    photos : sequence of Photo
        An image shows only photos and textures of its own split, six images in ten a photo.
    size : int
        Side of the images, in pixels, from 16.
    seed : int
    least_scale : float
        From this to 1 is drawn how large a garment is against the largest that leaves room to move.
    least_contrast : float
        From this to 1 is drawn how far a garment's pixels stand out of the mean of their background.

    Raises
    ------
    SipError
        If the shapes do not fit, a split has no photo, or a photo is smaller than ``size``.
    """
    parts = np.asarray(split).astype("U5")
    count = len(garments)
    if garments.dtype != np.uint8 or garments.shape[1:] != (28, 28) or not size >= 16:
        raise SipError(
            f"Garments are 8-bit images of 28 x 28 px, pasted at 16 px or more; these are {garments.dtype} "
            f"of shape {garments.shape}, to be pasted at {size} px."
        )
    if not 0 <= least_contrast <= 1:
        raise SipError(f"The least contrast is {least_contrast}; give a number from 0 to 1.")
    if len(labels) != count or len(parts) != count:
        raise SipError(
            f"{count} garments need {count} labels and splits, not {len(labels)} and {len(parts)}."
        )
    draws = np.empty((count, _DRAWS), np.float32)
    for row in range(count):  # one generator an image, so that no image depends on how many there are
        draws[row] = np.random.default_rng((seed, row)).random(_DRAWS, np.float32)
    images, photo = _crops(parts, photos, draws, size)
    masks = np.zeros((count, size, size), np.uint8)
    for start in range(0, count, _CHUNK):
        rows = slice(start, start + _CHUNK)
        images[rows], masks[rows] = _pasted(
            garments[rows], images[rows], draws[rows, 8:], least_contrast, least_scale
        )
    return GarmentsOnPhotos(images, masks, np.asarray(labels, np.int64), parts, photo)


def _crops(
    split: NDArray[np.str_], photos: Sequence[Photo], draws: _Array, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return a crop for every row (draws 0 to 7), and which photo it was cut from."""
    images = np.empty((len(split), size, size, 3), np.uint8)
    chosen = np.zeros(len(split), np.int64)
    for part in np.unique(split):
        rows = np.flatnonzero(split == part)
        found = [number for number, photo in enumerate(photos) if photo.split == part]
        if not found:
            raise SipError(f"There is no photo for the split “{part}”: give at least one for each split.")
        textures = np.array([number for number in found if photos[number].generated], np.int64)
        pictures = np.array([number for number in found if not photos[number].generated], np.int64)
        share = _PHOTO_SHARE if len(textures) and len(pictures) else float(len(pictures) > 0)
        for group, members in (
            (pictures, rows[draws[rows, 0] < share]),
            (textures, rows[draws[rows, 0] >= share]),
        ):
            if len(members):
                chosen[members] = group[_among(draws[members, 1], len(group))]
    for number in np.unique(chosen):
        rows = np.flatnonzero(chosen == number)
        scales = levels(photos[number], size)
        level = _among(draws[rows, 2], len(scales))
        for depth, pixels in enumerate(scales):
            here = rows[level == depth]
            top = _among(draws[here, 3], pixels.shape[0] - size + 1)
            left = _among(draws[here, 4], pixels.shape[1] - size + 1)
            y = top[:, None, None] + np.arange(size)[:, None]
            x = left[:, None, None] + np.arange(size)
            images[here] = pixels[y, x]
    mirrored = draws[:, 5] < 0.5
    images[mirrored] = images[mirrored, :, ::-1]
    return images, chosen


def _among(draw: _Array, count: int) -> NDArray[np.int64]:
    return np.minimum((draw * count).astype(np.int64), count - 1)


def _pasted(
    garments: NDArray[np.uint8],
    crops: NDArray[np.uint8],
    draws: _Array,
    least_contrast: float,
    least_scale: float,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images and their masks."""
    size = crops.shape[1]
    ground = crops.astype(np.float32)
    ground *= (
        _between(draws[:, 0:3], 0.75, 1.25)[:, None, None]
        * _between(draws[:, 3], 0.6, 1.2)[:, None, None, None]
    )
    np.clip(ground, 0, 255, out=ground)
    cloth = _cloth(garments)
    scale = _between(draws[:, 4], least_scale, 1.0) * (size * 7 / 8) / 28
    room = size - 28 * scale
    top, left = draws[:, 5] * room, draws[:, 6] * room
    cover = _placed(cloth.astype(np.float32), top, left, scale, size)
    shade = _placed(np.where(cloth, garments / np.float32(255), 0), top, left, scale, size)
    shade /= np.maximum(cover, np.float32(1e-3))
    hard = draws[:, 7] < 0.5
    cover[hard] = cover[hard] >= 0.5
    cover[cover < _LEAST] = 0
    inverted = draws[:, 8] < 0.5
    shade[inverted] = 1 - shade[inverted]
    depth = _between(draws[:, 9], 0.45, 0.95)[:, None, None]
    tone = (1 - depth + depth * shade)[..., None] * _tints(draws[:, 10:13])[:, None, None] * 255
    contrast = _between(draws[:, 13], least_contrast, 1.0)[:, None, None, None]
    tone = contrast * tone + (1 - contrast) * ground.mean((1, 2), keepdims=True)
    alpha = cover[..., None]
    images = np.rint(ground * (1 - alpha) + np.clip(tone, 0, 255) * alpha).astype(np.uint8)
    return images, np.where(cover > 0, np.uint8(255), np.uint8(0))


def _cloth(garments: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where the garments are; white prints, which Fashion-MNIST shows as holes, count."""
    from scipy.ndimage import binary_fill_holes

    cloth = garments >= _CLOTH
    in_plane = np.zeros((3, 3, 3), bool)
    in_plane[1] = [[False, True, False], [True, True, True], [False, True, False]]
    filled: NDArray[np.bool_] = binary_fill_holes(cloth, in_plane)
    return filled


def _placed(planes: _Array, top: _Array, left: _Array, scale: _Array, size: int) -> _Array:
    """Return planes (n, 28, 28) scaled and shifted onto (n, size, size), bilinear, 0 around."""
    padded = np.pad(planes.astype(np.float32, copy=False), ((0, 0), (2, 2), (2, 2)))
    centres = np.arange(size, dtype=np.float32) + np.float32(0.5)
    y = np.clip((centres - top[:, None]) / scale[:, None] + 1.5, 0, 30)
    x = np.clip((centres - left[:, None]) / scale[:, None] + 1.5, 0, 30)
    rows, columns = y.astype(np.int64), x.astype(np.int64)
    down, right = (y - rows)[..., None], (x - columns)[:, None]
    image = np.arange(len(planes))[:, None, None]
    across = padded[image, rows[..., None], np.arange(32)] * (1 - down)
    across += padded[image, rows[..., None] + 1, np.arange(32)] * down
    line = np.arange(size)[:, None]
    result: _Array = across[image, line, columns[:, None]] * (1 - right)
    result += across[image, line, columns[:, None] + 1] * right
    return result


def _tints(draws: _Array) -> _Array:
    """Return RGB in [0, 1] of hue, saturation and value drawn in [0, 1)."""
    hue, saturation, value = draws[:, 0:1], _between(draws[:, 1:2], 0.1, 1), _between(draws[:, 2:3], 0.35, 1)
    ramps = np.abs((hue * 6 + np.array([0, 4, 2], np.float32)) % 6 - 3) - 1
    tints: _Array = value * (1 - saturation + saturation * np.clip(ramps, 0, 1))
    return tints


def _between(draw: _Array, low: float, high: float) -> _Array:
    return (low + (high - low) * draw).astype(np.float32)
