"""Where an object probably is, asked of no model: superpixels unlike the border, near the centre.

Backgrounds touch the border and objects stand out of them (Wei, Wen, Zhu and Sun, ECCV 2012,
"Geodesic saliency using background priors"; Zhu, Liang, Wei and Sun, CVPR 2014, section 3), and
photographers point at their objects (Judd, Ehinger, Durand and Torralba, ICCV 2009, section 3.2).
"""

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError

SIDE = 256
"""Pixels of the longer side at which larger images are looked at."""

_ACROSS = 14  # superpixels along the longer side: finer ones follow texture, coarser ones miss small objects
_NEAREST = 0.25  # of the border: an object that reaches it, or a background of two parts, is allowed for
_SATURATED = 0.3  # of the highest contrast: an object of several colours is wanted whole
_SPREAD = 1.0  # deviation of the centre bias, in half sides


def object_prior(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how far each superpixel's colour is from the border's, times a bias to the centre.

    A superpixel's contrast c is the mean distance in CIE Lab to the nearest quarter of the superpixels
    that touch the border, saturated as 1 − exp(−c / (0.3 · highest c)). The bias is
    exp(−(x² + y²) / 2) at the superpixel's centre, x and y from −1 to 1 across the image. A threshold of
    0.5 is a good one. It knows no objects: a bright cloud is one to it.

    Parameters
    ----------
    image
        uint8 (H, W, C) with C 1 or 3.

    Returns
    -------
    float32 (H, W) in [0, 1], least 0 and highest 1; all zeros where the image is of one colour.

    Raises
    ------
    SipError
        If the array is no image.
    """
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not image.size:
        raise SipError(
            f"The object prior needs pixels of shape (H, W, 1) or (H, W, 3), not {image.shape}: "
            "open the picture as grey or RGB."
        )
    from sip_explorer.salience.superpixels import superpixels

    small = shrunk(image, SIDE)
    height, width = small.shape[:2]
    labels = superpixels(small, max(2, round(max(height, width) / _ACROSS)))
    lab = lab_of(small)
    means, places = _means(labels, lab)
    distance = np.sqrt(((means[:, None] - means[_at_border(labels)]) ** 2).sum(axis=2))
    count = max(1, round(_NEAREST * distance.shape[1]))
    contrast = np.partition(distance, count - 1, axis=1)[:, :count].mean(axis=1)
    # Lab of a flat image differs by rounding alone: less than an eye tells apart is no contrast.
    if contrast.max() < 1.0:
        return np.zeros(image.shape[:2], np.float32)
    contrast = 1 - np.exp(-contrast / (_SATURATED * contrast.max()))
    score = contrast * np.exp(-(places**2).sum(axis=1) / (2 * _SPREAD**2))
    scaled = (score - score.min()) / (score.max() - score.min())
    return enlarged(scaled.astype(np.float32)[labels], image.shape[:2])


def lab_of(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return uint8 (H, W, C) as CIE Lab, float32 (H, W, 3): lightness 0 to 100, colours about ±100."""
    from skimage.color import rgb2lab

    colour = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    return np.asarray(rgb2lab(colour), np.float32)


def shrunk(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return uint8 (H, W, C) or (H, W) with its longer side at most ``side`` pixels, antialiased."""
    height, width = image.shape[:2]
    if max(height, width) <= side:
        return image
    from PIL import Image

    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    # The file's pyramid first: eight thousand pixels are read once, not once per filter tap.
    small = Image.fromarray(flat).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.array(small).reshape(size[1], size[0], *image.shape[2:])


def enlarged(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return float32 (h, w) at ``size`` = (H, W), bilinear."""
    if values.shape == size:
        return values
    from PIL import Image

    return np.array(Image.fromarray(values).resize((size[1], size[0]), Image.Resampling.BILINEAR))


def _means(
    labels: NDArray[np.int32], lab: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each superpixel's mean colour (n, 3), and its centre (n, 2) from −1 to 1."""
    height, width = labels.shape
    flat = labels.ravel()
    count = np.maximum(np.bincount(flat), 1)  # a number that no pixel carries stays at zero
    y, x = np.mgrid[:height, :width]
    down, across = (y.ravel() + 0.5) / height * 2 - 1, (x.ravel() + 0.5) / width * 2 - 1
    columns = [*lab.reshape(-1, 3).T, down, across]
    table = np.stack([np.bincount(flat, column) / count for column in columns], axis=1)
    return table[:, :3], table[:, 3:]


def _at_border(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
