"""Eight pictures of one image: the way back and the evidence above, the walk to a prototype below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.prototypes.image_requests import Inverted, Maps, Step
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.magnitude_colours import magnitude_colours
from sip_explorer.qt.widgets.signed_colours import signed_colours

SHAPE = (2, 4)


class ImagePictures(CaptionedGrid):
    """Filled in the order in which the answers come."""

    def __init__(self) -> None:
        super().__init__(gap=16, captions=2, hug=True)
        self.setAccessibleName(
            "Image, reconstruction, difference, evidence; on the walk, moving pixels, gradient, prototype"
        )
        self._words: dict[tuple[int, int], str] = {}
        self._names = ("", "", "")
        self.set_tip(self._tip)

    def clear(self) -> None:
        """Show nothing."""
        self.set_images(None)
        self._words = {}
        self.set_captions({})

    def show_answer(self, answer: Inverted, nearest: str, following: str) -> None:
        """Show the upper row; ``nearest`` and ``following`` name the prototypes of the evidence."""
        self._names = (nearest, following, nearest)
        amplification = _amplification(answer.largest_error)
        reach = float(np.abs(answer.evidence).max()) or 1.0
        image = rgb(answer.image)
        upper = (
            image,
            rgb(answer.decoded),
            signed_colours(answer.difference * (amplification / 127)),
            signed_colours(answer.evidence / reach),
        )
        lower = [image] + [np.zeros_like(image)] * 3
        self.set_images(np.stack([np.stack(upper), np.stack(lower)]))
        ahead = f"red {nearest}\nblue {following}" if following else f"where {nearest}\nfits"
        self.hide_cells((1, column) for column in (1, 2, 3))
        self._words = {
            (0, 0): "image",
            (0, 1): "decoded",
            (0, 2): f"difference\n{_factor(amplification)}",
            (0, 3): ahead,
        }
        self.set_captions(self._words)

    def show_step(self, answer: Step) -> None:
        """Show the image on the walk."""
        if self.cells == SHAPE:
            self.set_cell(1, 0, rgb(answer.image))
            self._say((1, 0), f"on the walk\n{100 * answer.t:.0f} % of the way")

    def show_mean(self, mean: NDArray[np.uint8], name: str) -> None:
        """Show where the walk leads."""
        self._names = (*self._names[:2], name)
        if self.cells == SHAPE:
            self.set_cell(1, 3, rgb(mean))
            self._say((1, 3), f"{name}\nits mean")

    def show_maps(self, answer: Maps) -> None:
        """Show the pixels that move and the gradient of the prototype's density."""
        if self.cells != SHAPE:
            return
        largest = float(answer.motion.mean(axis=2).max())
        self.set_cell(1, 1, magnitude_colours(answer.motion, largest))
        self._say((1, 1), f"moving pixels\nup to {255 * largest:.0f} levels")
        self.set_cell(1, 2, signed_colours(_compressed(answer.gradient)))
        self._say((1, 2), "gradient\nred: brighter")

    def _tip(self, row: int, column: int) -> str:
        nearest, following, target = self._names
        ahead = f"red where it is nearer to {nearest}, blue where to {following}, in nats"
        return (
            ("The image as the flow takes it", "The image encoded and decoded",
             "Decoded less image, before rounding to levels, magnified",
             f"Evidence by place of the latent: {ahead}" if following else f"Where it fits {nearest}"),
            ("The image on its way to the prototype, its own detail kept",
             f"How far pixels move half way to {target}: dark not at all, yellow most",
             f"How each pixel would bring the image nearer to {target}: red by being brighter, "
             "blue by being darker; the root of the gradient, so that faint ones show",
             f"The decoded mean of {target}"),
        )[row][column]  # fmt: skip

    def _say(self, cell: tuple[int, int], words: str) -> None:
        self._words[cell] = words
        self.set_captions(self._words)


def rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image (H, W, 1 or 3) with three channels."""
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def _compressed(gradient: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the root of a gradient, sign kept, on [-1, 1]: a few steep pixels do not hide the others."""
    mean = gradient.mean(axis=2, keepdims=True)
    reach = float(np.quantile(np.abs(mean), 0.99)) or 1.0
    return np.asarray(np.sign(mean) * np.sqrt(np.abs(mean) / reach), np.float32)


def _factor(amplification: int) -> str:
    """Return a power of ten as ``× 10⁴``: short enough for a column."""
    power = len(str(amplification)) - 1
    return f"× 10{str(power).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def _amplification(largest: float) -> int:
    """A power of ten that brings the largest difference (levels) to about 100 levels."""
    return int(10 ** np.clip(np.floor(np.log10(127 / max(largest, 1e-7))), 0, 9))
