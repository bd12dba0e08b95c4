"""Masks and maps made comparable by rank: brought to one small size, blurred, ranked.

After Fel, Felipe, Linsley and Serre, "Harmonizing the object recognition strategies of deep neural networks
with humans", NeurIPS 2022 (arXiv 2211.04533), and their evaluation code: people's maps are brought to 64 x 64
pixels and blurred, a model's map is not, and the two are compared by Spearman's rank correlation.
"""

import math

import numpy as np
from numpy.typing import NDArray

SIGMA_SHARE = 0.044
"""Sigma of the blur by default, as a share of the image's shorter side: the authors' kernel, a Gaussian of
sigma 10 cut off to 10 x 10 pixels of 64, has a standard deviation of 2.83 pixels of 64."""

SIDE = 64
"""Masks are averaged down to this longer side before the blur, as the authors do."""

_LEAST_SIGMA = 2.0  # in pixels of the small map: a narrower blur would feel the averaging
_DIGITS = 9  # values closer than 1e-9 of the range are one: rounding noise is no order

Mask = NDArray[np.uint8]
Floats = NDArray[np.float64]


def default_sigma(shape: tuple[int, int]) -> float:
    """Return the sigma of the blur, in pixels of an image of this (height, width)."""
    return SIGMA_SHARE * min(shape)


def small_shape(shape: tuple[int, int], sigma: float) -> tuple[int, int]:
    """Return the (height, width) at which maps of an image of ``shape`` are compared.

    Its longer side is `SIDE`, but no smaller than leaves the blur a sigma of 2 pixels of the small map, and
    never larger than the image's.
    """
    scale = SIDE / max(shape)
    if scale < 1:
        scale = min(1.0, max(scale, _LEAST_SIGMA / sigma if sigma > 0 else 1.0))
        shape = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    return shape


def blurred_ranking(mask: Mask, sigma: float | None = None) -> Floats:
    """Return how a person's blurred mask ranks the pixels.

    Parameters
    ----------
    mask
        uint8 (H, W).
    sigma
        Of the Gaussian, in pixels of the mask; by default `default_sigma`; 0 does not blur. Beyond its edges
        the mask is mirrored, so that the border is not darkened.

    Returns
    -------
    float64 (n,) over the pixels of `small_shape`: see `ranking`.
    """
    from scipy.ndimage import gaussian_filter

    height, width = mask.shape
    sigma = default_sigma((height, width)) if sigma is None else sigma
    small = _averaged(mask, small_shape((height, width), sigma))
    if sigma > 0 and small.min() < small.max():
        scale = (small.shape[0] / height, small.shape[1] / width)
        small = gaussian_filter(small, (sigma * scale[0], sigma * scale[1]), mode="reflect")
    return ranking(small)


def map_ranking(values: Mask, shape: tuple[int, int], sigma: float | None = None) -> Floats:
    """Return how a model's map, uint8 of any size, ranks the pixels of an image of ``shape``; not blurred.

    ``sigma`` is that of the masks it is compared with, which decides the size of both.
    """
    sigma = default_sigma(shape) if sigma is None else sigma
    small = small_shape(shape, sigma)
    if values.shape != small:
        from PIL import Image

        wanted = Image.fromarray(values).resize(small[::-1], Image.Resampling.BILINEAR)
        values = np.asarray(wanted)
    return ranking(values.astype(np.float64) / 255)


def ranking(values: Floats) -> Floats:
    """Return the ranks of ``values`` in [0, 1], less their mean and of length 1; zeros where all are equal.

    Equal values share the mean of their ranks. The product of two rankings is Spearman's correlation.
    """
    flat = np.round(values.ravel(), _DIGITS)
    order = np.argsort(flat)
    in_order = flat[order]
    starts = np.flatnonzero(np.concatenate([[True], in_order[1:] > in_order[:-1]]))
    if len(starts) == 1:
        return np.zeros(len(flat))
    counts = np.diff(np.append(starts, len(flat)))
    ranks = np.empty(len(flat))
    ranks[order] = np.repeat(starts + (counts - 1) / 2, counts)
    ranks -= (len(flat) - 1) / 2
    return ranks / math.sqrt(float(ranks @ ranks))


def correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's correlation of two rankings, in [-1, 1].

    A map that is constant, such as an empty mask, against one that is not: 0, for it puts no pixel before
    another. Two constant maps: NaN, for there is no order to agree on.
    """
    if not first.any() and not second.any():
        return float("nan")
    return min(1.0, max(-1.0, float(first @ second)))


def _averaged(mask: Mask, shape: tuple[int, int]) -> Floats:
    """Return means in [0, 1] over blocks of whole pixels: however small a dab, it is never rounded away."""
    starts = [np.arange(small) * side // small for side, small in zip(mask.shape, shape, strict=True)]
    sums = np.add.reduceat(mask, starts[1], axis=1, dtype=np.uint32)  # along rows first: six times faster
    sums = np.add.reduceat(sums, starts[0], axis=0, dtype=np.uint64)
    sizes = [np.diff(np.append(start, side)) for start, side in zip(starts, mask.shape, strict=True)]
    return sums / (255.0 * np.outer(*sizes))
