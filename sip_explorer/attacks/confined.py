"""A model whose input can be moved in a region alone, for attacks that know no masks."""

import torch
from torch import Tensor, nn

from sip_explorer.records import SipError

LARGEST = 0.5
"""An L-inf attack must stay below this, or it could rewrite the numbers of the images."""


class Confined(nn.Module):
    """g(x′) = f(M ⊙ x′ + (1 − M) ⊙ x): the attacked model within a region M of every image.

    Whatever an attack does to the other pixels has no effect and no gradient, so an L-inf attack on g loses
    nothing by not knowing M: its ball is a product of intervals, a pixel each. g must know which image x a
    row of its batch is made from, though attacks take batches apart. So every image carries its number
    in channels of its own, in binary, a bit per pixel, 0 or 1. They are read by rounding: any L-inf change
    below 0.5 leaves the number as it is, and there is no gradient through it.

    Parameters
    ----------
    model
        f, logits from (n, C, H, W).
    images
        (N, C, H, W) in [0, 1], the clean ones; here or on the model's device.
    region
        (N, 1, H, W) or (N, C, H, W) of 0 and 1: M.

    Attributes
    ----------
    inputs
        (N, C + k, H, W), what is to be attacked: the images with their numbers; where ``images`` are.
    """

    def __init__(self, model: nn.Module, images: Tensor, region: Tensor) -> None:
        super().__init__()
        if not bool(((region == 0) | (region == 1)).all()):
            raise SipError(
                "AutoAttack takes a pixel as free or forbidden and this budget has shares between: attack "
                "by apgd-ce+t."
            )
        count, self._channels, height, width = images.shape
        bits = max(1, (count - 1).bit_length())
        places = -(-bits // (height * width)) * height * width
        numbers = torch.arange(count, device=images.device)[:, None]
        powers = torch.arange(places, device=images.device)
        code = ((numbers >> powers.clamp(max=62)) & 1).to(images.dtype)
        self.inputs = torch.cat([images, code.view(count, -1, height, width)], 1)
        self._bits = bits
        self.model = model
        first = next(model.parameters(), images)
        # Buffers are part of the state that a file of unfinished work is known by.
        self.register_buffer("clean", images.to(first.device))
        self.register_buffer("free", region.to(first.device, torch.bool))
        self.clean: Tensor
        self.free: Tensor

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the model's logits (n, K) for rows of ``inputs``, moved by an attack."""
        logits: Tensor = self.model(self.images(inputs))
        return logits

    def images(self, inputs: Tensor) -> Tensor:
        """Return the images (n, C, H, W) that the model sees: moved in their region alone."""
        rows = self.rows(inputs)
        moved = inputs[:, : self._channels]
        return torch.where(self.free[rows].to(moved.device), moved, self.clean[rows].to(moved.device))

    def rows(self, inputs: Tensor) -> Tensor:
        """Return the numbers (n,) of the images that rows of an attack's batch are made from."""
        code = inputs.detach()[:, self._channels :].flatten(1)[:, : self._bits] > 0.5
        powers = 1 << torch.arange(self._bits, device=inputs.device)
        rows = (code * powers).sum(1).to(self.clean.device)
        return rows.clamp(max=len(self.clean) - 1)
