"""Random changes of training images, in which image and salience always move together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from sip_explorer.attacks.keyed import image_keys, symmetric_uniform

if TYPE_CHECKING:
    from torchvision import tv_tensors

_STREAM = 0x5EED_0A06  # apart from the numbers of the attack's random starts
_FLIP, _DOWN, _RIGHT, _TURN, _ZOOM, _BRIGHTNESS, _CONTRAST, _SATURATION = _COLUMNS = range(8)
_GREY = (0.2989, 0.587, 0.114)  # ITU-R BT.601, as in torchvision
_FIXED_POINT = 2**24
_PADDING = {"black": ("constant", "zeros"), "edge": ("edge", "border")}  # of torchvision, of grid_sample


@dataclass(frozen=True)
class Augmentation:
    """Mirror, shift, turn, scale and recolour images at random, each by draws of its own.

    The draws are a hash of (seed, epoch, image id): what happens to an image does not depend on the
    batch it is in, on the order, on the number of processes, or on which other changes are switched on.
    What comes in from outside the image is black and not salient, or its border going on.

    Parameters
    ----------
    flip
        Mirror left to right with probability one half.
    crop_padding
        Shift by whole pixels, up to this many in each direction (pad, then crop at random).
    rotation
        Turn about the centre by up to this many degrees either way.
    zoom
        Scale about the centre by a factor in [1 - zoom, 1 + zoom].
    jitter
        Multiply brightness, then contrast, then saturation (of colour images) each by a factor in
        [1 - jitter, 1 + jitter], as torchvision's ``adjust_...`` do; the salience stays.
    seed
        Changes all draws.
    outside
        "black", or "edge": the border goes on.
    """

    flip: bool = False
    crop_padding: int = 0
    rotation: float = 0.0
    zoom: float = 0.0
    jitter: float = 0.0
    seed: int = 0
    outside: str = "black"

    @property
    def none(self) -> bool:
        """Whether every image stays as it is."""
        return not (self.flip or self.crop_padding or self.rotation or self.zoom or self.jitter)

    def __call__(
        self, images: Tensor, masks: Tensor | None, ids: Tensor, epoch: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return ``images`` and ``masks`` as ``epoch`` sees them; the arguments stay as they are.

        Parameters
        ----------
        images
            float32 (n, C, H, W) in [0, 1], C 1 or 3.
        masks
            uint8 (n, 1, H, W) on the device of ``images``, or None.
        ids
            int64 (n,); on the CPU, a GPU need not be waited for.
        epoch
            From 0.
        """
        if self.none:
            return images, masks
        from torchvision import tv_tensors  # a second to import, and many runs change nothing

        draws = symmetric_uniform(
            image_keys(ids.cpu(), _STREAM, self.seed, epoch), torch.Size((1, 1, len(_COLUMNS)))
        )
        draws = draws.flatten(1).double()
        moved = self._recoloured(self._moved(tv_tensors.Image(images), draws), draws)
        return moved, None if masks is None else self._moved(tv_tensors.Mask(masks), draws)

    # One function for both, so that there is nothing in which image and salience could differ but the
    # kind of interpolation. torchvision's own crop and affine know one draw for a whole batch; called
    # image by image they take longer than some networks' attack step.
    def _moved(self, values: tv_tensors.TVTensor, draws: Tensor) -> Tensor:
        from torchvision import tv_tensors
        from torchvision.transforms.v2 import functional as v2

        if self.flip:
            where = (draws[:, _FLIP] > 0).to(values.device)[:, None, None, None]
            values = tv_tensors.wrap(torch.where(where, v2.horizontal_flip(values), values), like=values)
        if self.crop_padding:
            places = 2 * self.crop_padding + 1
            corners = ((draws[:, [_DOWN, _RIGHT]] + 1) / 2 * places).long().to(values.device)
            height, width = values.shape[-2:]
            padded = v2.pad(values, [self.crop_padding], fill=0, padding_mode=_PADDING[self.outside][0])
            windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # views: nothing is copied
            image = torch.arange(len(values), device=values.device)
            values = tv_tensors.wrap(windows[image, :, corners[:, 0], corners[:, 1]], like=values)
        if self.rotation or self.zoom:
            angles = draws[:, _TURN] * math.radians(self.rotation)
            scales = 1 + self.zoom * draws[:, _ZOOM]
            values = _resampled(values, angles, scales, _PADDING[self.outside][1])
        moved: Tensor = values.as_subclass(Tensor)
        return moved

    def _recoloured(self, images: Tensor, draws: Tensor) -> Tensor:
        if not self.jitter:
            return images
        factors = (1 + self.jitter * draws).float().to(images.device)[:, :, None, None, None]
        images = (images * factors[:, _BRIGHTNESS]).clamp_(0, 1)
        # A float sum rounds by the order of its terms, which follows from the shape of the batch.
        grey = (_grey(images) * _FIXED_POINT).long().sum((1, 2, 3), keepdim=True)
        mean = (grey.float() / (_FIXED_POINT * images[0, 0].numel())).to(images.dtype)
        images = _blended(images, mean, factors[:, _CONTRAST])
        return _blended(images, _grey(images), factors[:, _SATURATION]) if images.shape[1] == 3 else images


def _resampled(values: Tensor, angles: Tensor, scales: Tensor, padding: str = "zeros") -> Tensor:
    """Return ``values`` turned clockwise by ``angles`` and scaled by ``scales`` (n,) about the centre."""
    # math's, not torch's: a vectorised cosine differs in its last bit between body and tail of a loop.
    rows = [
        (math.cos(angle) / scale, math.sin(angle) / scale)
        for angle, scale in zip(angles.tolist(), scales.tolist(), strict=True)
    ]
    cosine, sine = torch.tensor(rows, dtype=torch.float32).to(values.device).reshape(-1, 2, 1, 1).unbind(1)
    height, width = values.shape[-2:]
    y = (torch.arange(height, device=values.device, dtype=torch.float32) - (height - 1) / 2)[:, None]
    x = torch.arange(width, device=values.device, dtype=torch.float32) - (width - 1) / 2
    places = (cosine * x + sine * y) * (2 / width), (cosine * y - sine * x) * (2 / height)
    # Between two pixels a picture is a mixture of them. A mask takes the nearer one's value: its levels
    # keep the meaning that they were painted with, no soft rim grows around a hard edge, and what is
    # protected (128 and more) stays as large as it was.
    from torchvision import tv_tensors

    nearest = isinstance(values, tv_tensors.Mask)
    sampled = F.grid_sample(
        values.as_subclass(Tensor).float(),
        torch.stack(places, dim=-1),
        mode="nearest" if nearest else "bilinear",
        padding_mode=padding,
        align_corners=False,
    )
    # The four weights need not add up to exactly one.
    return sampled.to(values.dtype) if nearest else sampled.clamp_(0, 1)


def _grey(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images
    # No fused multiply-add (``alpha``): it rounds otherwise in the tail of a vectorised loop.
    red, green, blue = (images[:, [one]] * weight for one, weight in enumerate(_GREY))
    return red + green + blue


def _blended(images: Tensor, other: Tensor, share: Tensor) -> Tensor:
    return (images * share + other * (1 - share)).clamp_(0, 1)
