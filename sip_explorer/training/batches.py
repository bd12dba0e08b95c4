"""Training images in mini-batches, in an order that is a function of seed and epoch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sip_explorer.training.augmentation import Augmentation

_CHUNK = 4096


@dataclass(frozen=True)
class Batch:
    """One process's share of a mini-batch, on the device.

    ``images`` float32 (n, C, H, W) in [0, 1]; ``labels`` and ``ids`` int64 (n,); ``salience``
    float32 (n, 1, H, W) in [0, 1], None where the run carries none. ``weights`` float32 (n,): 1, or 0
    for an image that is repeated only so that all shares are equally large; ``total``: images of the
    whole mini-batch; ``first``: the place in it of this share's first image. ``again`` is ``images``
    under a second augmentation, None where the run has none.
    """

    images: Tensor
    labels: Tensor
    ids: Tensor
    salience: Tensor | None
    weights: Tensor
    total: int
    first: int = 0
    again: Tensor | None = None


class Batches:
    """The training images of a run.

    A GPU holds them where they take less than half of its free memory; else, and on a CPU, each
    batch is read out of the arrays that were given, which are never copied as a whole.

    Parameters
    ----------
    images, labels, ids
        uint8 (N, H, W, C) and int64 (N,).
    masks
        uint8 (M, H, W), protected where >= 128, one per image of ``rows``; None where the run carries
        no salience.
    rows
        int64 (M,): which of the N images are trained on.
    augmentation
        What happens to image and salience before they are trained on.
    again
        What happens to the images for `Batch.again`.
    """

    def __init__(
        self,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.int64],
        ids: npt.NDArray[np.int64],
        masks: npt.NDArray[np.uint8] | None,
        *,
        rows: npt.NDArray[np.int64],
        augmentation: Augmentation,
        batch_size: int,
        seed: int,
        device: torch.device,
        channels_last: bool,
        again: Augmentation | None = None,
    ) -> None:
        size = len(rows) * images[0].nbytes + (0 if masks is None else masks.nbytes)
        resident = device.type == "cuda" and size < torch.cuda.mem_get_info(device)[0] / 2
        self._images = _Pixels(images, rows, device, resident)
        self._masks = None if masks is None else _Pixels(masks, np.arange(len(masks)), device, resident)
        self._labels = torch.from_numpy(labels[rows])
        self._ids = torch.from_numpy(ids[rows])
        self._augmentation = augmentation
        self._again = again
        self._seed = seed
        self._device = device
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self.count = len(rows)
        self.batch_size = min(batch_size, self.count)
        # A last batch of one image would break batch statistics: that image sits the epoch out.
        left = self.count % self.batch_size
        self.per_epoch = self.count // self.batch_size + (1 if left > 1 else 0)

    def epoch(self, epoch: int, first: int = 0, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Yield the batches of ``epoch`` from number ``first`` on.

        Of each the process ``rank`` of ``world`` gets its share: equally many images for every process,
        one process's images after the other's, filled up with images of the batch that weigh 0.
        """
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch)
        order = torch.randperm(self.count, generator=generator)
        for number in range(first, self.per_epoch):
            whole = order[number * self.batch_size : (number + 1) * self.batch_size]
            share = -(-len(whole) // world)
            places = torch.arange(rank * share, (rank + 1) * share)
            weights = (places < len(whole)).to(self._device, torch.float32)
            batch = self._gather(whole[places % len(whole)], weights, len(whole), epoch)
            yield replace(batch, first=rank * share)

    def _gather(self, chosen: Tensor, weights: Tensor, total: int, epoch: int) -> Batch:
        images = self._images.read(chosen).permute(0, 3, 1, 2).to(torch.float32).div_(255)
        masks = None if self._masks is None else self._masks.read(chosen)[:, None]
        ids = self._ids[chosen]
        again = None if self._again is None else self._again(images, None, ids, epoch)[0]
        images, masks = self._augmentation(images, masks, ids, epoch)
        return Batch(
            images.contiguous(memory_format=self._format),
            self._labels[chosen].to(self._device),
            ids.to(self._device),
            None if masks is None else masks.to(torch.float32).div_(255),
            weights,
            total,
            again=again,
        )


class _Pixels:
    """The uint8 pictures ``array[rows]``: on the device if ``resident``, else left where they are."""

    def __init__(
        self, array: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], device: torch.device, resident: bool
    ) -> None:
        self._array, self._rows, self._device = array, rows, device
        self._held: Tensor | None = None
        if resident:
            self._held = torch.empty((len(rows), *array.shape[1:]), dtype=torch.uint8, device=device)
            for start in range(0, len(rows), _CHUNK):  # on the host never more than a chunk twice
                part = torch.from_numpy(array[rows[start : start + _CHUNK]])
                self._held[start : start + _CHUNK] = part.to(device)

    def read(self, places: Tensor) -> Tensor:
        """Return the pictures at ``places`` (int64, on the CPU) of ``rows`` on the device."""
        if self._held is not None:
            return self._held[places.to(self._device)]
        part = torch.from_numpy(self._array[self._rows[places.numpy()]])
        if self._device.type == "cuda":  # pinned, so that the copy runs beside the GPU's work
            return part.pin_memory().to(self._device, non_blocking=True)
        return part.to(self._device)
