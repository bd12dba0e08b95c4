"""A mask that was painted on one image, proposed for another one of the same class.

Three steps, each plain enough to be foreseen: the nearest painted image is chosen by its features;
its mask is moved (and scaled) to where the two images' colours and edges agree best; superpixels of
the new image then decide as wholes. It finds things that look alike and lie much alike. It does not
turn, bend or mirror a mask, and where the objects differ in pose it is no more than a first guess.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.object_prior import enlarged, lab_of, shrunk
from sip_explorer.salience.strokes import PROTECTED

Floats = NDArray[np.float32]

GRID = 8
"""Cells a side of a `descriptor`."""

SCALES = (0.8, 0.9, 1.0, 1.12, 1.25)
"""Sizes of the mask that are tried."""

_ALIGN_SIDE = 64  # pixels of the longer side at which images are aligned
_SNAP_SIDE = 512  # ... and at which superpixels are made
_ACROSS = 28  # superpixels along the longer side
_DOUBT = 0.3  # the chance that a superpixel under the mask is none of the object's, and the reverse
_COLOUR = 2.0  # the weight of colour against shape
_MARGIN = 0.15  # of the object's extent: what lies around it helps to find its place
_FARTHEST = 0.25  # of the side, the deviation of the bias to stay near the old place


def descriptor(image: NDArray[np.uint8]) -> Floats:
    """Return what an image looks like from far, where no model is asked: a unit vector.

    On a grid of 8 x 8 cells, each with mean and deviation 1 over the cells: mean CIE Lab, and mean
    strength of the edges along and across.

    Parameters
    ----------
    image
        uint8 (H, W, C) with C 1 or 3.

    Returns
    -------
    float32 (320,), of length 1; zeros for a flat image.
    """
    lab = lab_of(shrunk(image, _ALIGN_SIDE))
    down, across = np.gradient(_padded(lab[..., 0]))
    size = lab.shape[:2]
    edges = (np.abs(np.asarray(edge)[: size[0], : size[1]]) for edge in (down, across))
    planes: list[Floats] = [*np.moveaxis(lab, 2, 0), *edges]
    cells = np.stack([_cells(plane) for plane in planes]).reshape(len(planes), -1)
    cells = cells - cells.mean(axis=1, keepdims=True)
    strength = np.sqrt((cells**2).mean(axis=1, keepdims=True))
    # Less than a tenth of a step in Lab is rounding.
    scaled = np.where(strength > 0.1, cells / np.maximum(strength, 0.1), 0.0).ravel()
    return (scaled / max(float(np.linalg.norm(scaled)), 1e-12)).astype(np.float32)


def nearest(feature: Floats, features: Floats) -> tuple[int, float]:
    """Return the row of ``features`` (n, d) with the largest cosine to ``feature`` (d,), and that cosine.

    Raises
    ------
    SipError
        If there are no rows, or they are of another length.
    """
    if features.ndim != 2 or not len(features):
        raise SipError("No painted image is there to propagate from: paint one of this class first.")
    if feature.shape != features.shape[1:]:
        raise SipError(
            f"Features of {feature.size} and {features.shape[1]} numbers cannot be compared: "
            "ask one model for both."
        )
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(feature)
    cosines = features @ feature / np.maximum(lengths, 1e-12)
    best = int(np.argmax(cosines))
    return best, float(cosines[best])


def propagated(
    mask: NDArray[np.uint8], from_image: NDArray[np.uint8], to_image: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return ``mask`` of ``from_image`` as a proposal for ``to_image``.

    Both images are laid over each other at one size, the aspect of ``to_image``. Among five sizes
    (0.8 to 1.25 of the mask) and all shifts, that one is taken at which what lies under the mask and
    a little around it correlates best in lightness, colour and edges, with a bias to stay near. Each
    superpixel of ``to_image`` near the moved mask then has two witnesses, whose odds are multiplied:
    the share of it that the mask covers, and how much more its colour is like that of superpixels
    well inside the mask than like that of those outside.

    Parameters
    ----------
    mask
        uint8 (H, W), of ``from_image``'s size.
    from_image, to_image
        uint8 (H, W, C) with C 1 or 3; they may differ in size.

    Returns
    -------
    uint8 (H, W) of ``to_image``'s size, 255 where it is surest; a threshold of 50 % is a good one.
    All zeros where the mask protects nothing.

    Raises
    ------
    SipError
        If the mask is not of its image's size.
    """
    if mask.shape != from_image.shape[:2]:
        raise SipError(
            f"A mask of {mask.shape[1]} x {mask.shape[0]} pixels is not that of an image of "
            f"{from_image.shape[1]} x {from_image.shape[0]}: choose the image that it was painted on."
        )
    size = to_image.shape[:2]
    if not (mask >= PROTECTED).any():
        return np.zeros(size, np.uint8)
    target = shrunk(to_image, _SNAP_SIDE)
    coarse = shrunk(to_image, _ALIGN_SIDE)
    share = _mask_resized(mask, coarse.shape[:2])
    moved = _moved(share, _planes(_resized_image(from_image, coarse.shape[:2])), _planes(coarse))
    snapped = _snapped(enlarged(moved, target.shape[:2]), target)
    return np.asarray(np.rint(255 * enlarged(snapped, size).clip(0, 1)), np.uint8)


def _moved(share: Floats, before: Floats, after: Floats) -> Floats:
    """Return ``share`` (h, w) of the planes ``before`` where it fits ``after`` best, both (k, h, w)."""
    height, width = share.shape
    best, place = -np.inf, share
    for scaled, planes in _sizes(share, before):
        window = _widened(scaled)
        score = _correlation(window, planes, after)
        # Row and column i stand for a shift of i, those beyond the middle for one to the other side.
        down = np.minimum(np.arange(height), height - np.arange(height)) / (_FARTHEST * height)
        across = np.minimum(np.arange(width), width - np.arange(width)) / (_FARTHEST * width)
        score = score * np.exp(-(down[:, None] ** 2 + across**2) / 2)
        y, x = np.unravel_index(int(np.argmax(score)), score.shape)
        if score[y, x] > best + 1e-6:
            best = float(score[y, x])
            place = _shifted(scaled, int(y), int(x))
    return place


def _sizes(share: Floats, planes: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield the mask and the planes at each of `SCALES`, about the mask's centre; 1.0 first."""
    from scipy.ndimage import affine_transform

    rows, columns = np.nonzero(share >= 0.5 * share.max())
    centre = np.array([rows.mean(), columns.mean()])
    for scale in sorted(SCALES, key=lambda one: abs(np.log(one))):
        if scale == 1.0:
            yield share, planes
            continue
        zoom = {"matrix": np.full(2, 1 / scale), "offset": centre - centre / scale, "order": 1}
        yield (
            affine_transform(share, **zoom),
            np.stack([affine_transform(plane, mode="nearest", **zoom) for plane in planes]),
        )


def _correlation(window: Floats, before: Floats, after: Floats) -> NDArray[np.float64]:
    """Return for each cyclic shift of the window (h, w) how well the planes agree in it, −1 to 1.

    Normalised cross-correlation with weights, summed over the planes, by Fourier transforms.
    """
    weight = np.maximum(float(window.sum()), 1e-9)
    spectrum = np.conj(np.fft.rfft2(window))
    size = window.shape
    product, energy_before, energy_after = np.zeros(size), 0.0, np.zeros(size)
    for own, other in zip(before, after, strict=True):
        centred = own - float((window * own).sum()) / weight
        pattern = np.conj(np.fft.rfft2(window * centred))
        there = np.fft.rfft2(other)
        product += np.fft.irfft2(pattern * there, size)
        mean = np.fft.irfft2(spectrum * there, size) / weight
        energy_after += np.fft.irfft2(spectrum * np.fft.rfft2(other**2), size) - weight * mean**2
        energy_before += float((window * centred**2).sum())
    # Of a flat stretch nothing can be said; its tiny energy must not make it a perfect match.
    floor = 1e-3 * weight * len(before)
    return np.asarray(product / np.sqrt(np.maximum(energy_after, floor) * max(energy_before, floor)))


def _snapped(moved: Floats, image: NDArray[np.uint8]) -> Floats:
    """Return the share of each superpixel of ``image`` that belongs to the moved mask (h, w), 0 to 1."""
    from sip_explorer.salience.superpixels import superpixels

    labels = superpixels(image, max(1, round(max(moved.shape) / _ACROSS)))
    flat = labels.ravel()
    count = np.maximum(np.bincount(flat), 1)
    covered = np.bincount(flat, moved.ravel()) / count
    lab = np.stack(
        [np.bincount(flat, plane.ravel()) / count for plane in np.moveaxis(lab_of(image), 2, 0)], 1
    )
    near = np.bincount(flat, _widened(moved).ravel()) / count
    inside, outside = covered >= 0.75, covered <= 0.05
    if inside.any() and outside.any():
        colour = _likeness(lab, lab[inside], lab[outside])
        odds = colour**_COLOUR / (1 - colour) ** _COLOUR
        shape = covered.clip(_DOUBT, 1 - _DOUBT)
        odds = odds * shape / (1 - shape)
        covered = np.where(near > 0.05, odds / (1 + odds), 0.0)
    return covered.astype(np.float32)[labels]


def _likeness(
    lab: NDArray[np.float64], inside: NDArray[np.float64], outside: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return for each colour (n, 3) 1 where it is like the inside's, 0 where like the outside's."""
    to_inside, to_outside = (_distance(lab, colours) for colours in (inside, outside))
    return np.asarray((to_outside + 0.01) / (to_inside + to_outside + 0.02))  # of no contrast: one half


def _distance(lab: NDArray[np.float64], colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance to the nearest quarter of ``colours``: each side may be of several colours."""
    distance = np.sqrt(((lab[:, None] - colours) ** 2).sum(axis=2))
    count = max(1, round(0.25 * len(colours)))
    return np.asarray(np.partition(distance, count - 1, axis=1)[:, :count].mean(axis=1))


def _planes(image: NDArray[np.uint8]) -> Floats:
    """Return lightness, both colours and the edges' strength, (4, h, w), each of deviation 1 or flat."""
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    lab = lab_of(image)
    edges = gaussian_gradient_magnitude(lab[..., 0], 1.0)
    planes = np.stack([gaussian_filter(plane, 0.7) for plane in (*np.moveaxis(lab, 2, 0), edges)])
    strength = planes.std(axis=(1, 2), keepdims=True)
    return np.asarray(
        (planes - planes.mean(axis=(1, 2), keepdims=True)) / np.maximum(strength, 1.0), np.float32
    )


def _widened(share: Floats) -> Floats:
    """Return the mask and a margin around it, 0 to 1."""
    from scipy.ndimage import maximum_filter

    rows, columns = np.nonzero(share >= 0.5 * share.max())
    extent = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
    return np.asarray(maximum_filter(share, 2 * max(1, round(_MARGIN * extent)) + 1))


def _shifted(share: Floats, y: int, x: int) -> Floats:
    """Return ``share`` moved by a cyclic shift; what would come in at the other side is left out."""
    height, width = share.shape
    down, across = y if y <= height // 2 else y - height, x if x <= width // 2 else x - width
    out = np.zeros_like(share)
    out[max(0, down) : height + min(0, down), max(0, across) : width + min(0, across)] = share[
        max(0, -down) : height - max(0, down), max(0, -across) : width - max(0, across)
    ]
    return out


def _cells(plane: Floats) -> Floats:
    return _resized(np.ascontiguousarray(plane, np.float32), (GRID, GRID))


def _padded(plane: Floats) -> Floats:
    """A gradient needs two pixels each way."""
    return np.pad(plane, [(0, max(0, 2 - side)) for side in plane.shape], mode="edge")


def _resized(values: Floats, size: tuple[int, int]) -> Floats:
    """Return float32 (h, w) at ``size`` = (height, width), each pixel the mean of what it covers."""
    from PIL import Image

    return np.array(Image.fromarray(values).resize((size[1], size[0]), Image.Resampling.BOX))


def _resized_image(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image

    flat = image[..., 0] if image.shape[2] == 1 else image
    scaled = Image.fromarray(flat).resize((size[1], size[0]), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.array(scaled).reshape(*size, image.shape[2])


def _mask_resized(mask: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
    from PIL import Image

    # As bytes: as numbers with a point a mask of a large photo would take four times the memory.
    scaled = Image.fromarray(mask).resize((size[1], size[0]), Image.Resampling.BOX)
    return np.asarray(scaled, np.float32) / np.float32(255)
