"""Training images on the device, in an order that is a function of seed and epoch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """One process's share of a mini-batch, on the device.

    ``images`` float32 (n, C, H, W) in [0, 1]; ``labels`` and ``ids`` int64 (n,); ``salience``
    float32 (n, 1, H, W) in [0, 1], None where the run carries none. ``weights`` float32 (n,): 1, or 0
    for an image that is repeated only so that all shares are equally large; ``total``: images of the
    whole mini-batch.
    """

    images: Tensor
    labels: Tensor
    ids: Tensor
    salience: Tensor | None
    weights: Tensor
    total: int


class Batches:
    """The training images of a run.

    Parameters
    ----------
    images, labels, ids
        uint8 (N, H, W, C) and int64 (N,).
    masks
        uint8 (N, H, W), protected where >= 128; None where the run carries no salience.
    flip
        Mirror image and salience left to right with probability one half.
    """

    def __init__(
        self,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.int64],
        ids: npt.NDArray[np.int64],
        masks: npt.NDArray[np.uint8] | None,
        *,
        batch_size: int,
        seed: int,
        flip: bool,
        device: torch.device,
        channels_last: bool,
    ) -> None:
        self._images = torch.from_numpy(np.ascontiguousarray(images)).to(device)
        self._labels = torch.from_numpy(np.ascontiguousarray(labels)).to(device)
        self._ids = torch.from_numpy(np.ascontiguousarray(ids)).to(device)
        self._masks = (
            None if masks is None else torch.from_numpy(np.ascontiguousarray(masks)[:, None]).to(device)
        )
        self._flip = flip
        self._seed = seed
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self.count = len(images)
        self.batch_size = min(batch_size, self.count)
        # A last batch of one image would break batch statistics: that image sits the epoch out.
        left = self.count % self.batch_size
        self.per_epoch = self.count // self.batch_size + (1 if left > 1 else 0)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of ``epoch`` from number ``first`` on."""
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)
        order = torch.randperm(self.count, generator=generator)
        flipped = torch.rand(self.count, generator=generator) < 0.5 if self._flip else None
        for number in range(first, self.per_epoch):
            rows = order[number * self.batch_size : (number + 1) * self.batch_size]
            yield self._gather(rows.to(self._images.device), None if flipped is None else flipped[rows])

    def _gather(self, rows: Tensor, flipped: Tensor | None) -> Batch:
        images = self._images[rows].permute(0, 3, 1, 2).to(torch.float32).div_(255)
        salience = None if self._masks is None else self._masks[rows].to(torch.float32).div_(255)
        if flipped is not None:
            where = flipped.to(images.device)[:, None, None, None]
            images = _mirrored(images, where)
            salience = None if salience is None else _mirrored(salience, where)
        images = images.contiguous(memory_format=self._format)
        weights = torch.ones(len(rows), device=images.device)
        return Batch(images, self._labels[rows], self._ids[rows], salience, weights, len(rows))


def _mirrored(values: Tensor, where: Tensor) -> Tensor:
    return torch.where(where, values.flip(-1), values)
