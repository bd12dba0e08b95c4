"""The rows of an attack's calls, collected into the cells of a sweep."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from sip_explorer.attacks.plan import Computation
from sip_explorer.attacks.result import AttackResult
from sip_explorer.records.sweeps import CellResult


class CollectedRows:
    """The results of one computation as its rows come in.

    Parameters
    ----------
    computation
        What is computed.
    ids
        (N,) int64 image ids of the selection.
    shown
        (N,) bool: of which images the adversarial image is kept.
    micro_batch
        The batch shape that the model sees.
    """

    def __init__(self, computation: Computation, ids: Tensor, shown: Tensor, micro_batch: int) -> None:
        count = len(ids)
        self._computation = computation
        self._ids = ids
        self._shown = shown
        self._micro_batch = micro_batch
        self._left = count
        self._success = torch.zeros(count, dtype=torch.bool)
        self._correct = torch.zeros(count, dtype=torch.bool)
        self._loss = torch.zeros(count, dtype=torch.float32)
        self._zero = torch.zeros(count, dtype=torch.float32)
        self._previews: list[tuple[Tensor, Tensor, Tensor]] = []

    def add(self, places: Tensor, result: AttackResult, mine: Tensor) -> None:
        """Take the rows ``mine`` of ``result``, which are the images at ``places``."""
        rows = mine.to(result.images.device)
        self._success[places] = result.success[rows].cpu()
        self._correct[places] = result.clean_correct[rows].cpu()
        self._loss[places] = result.loss[rows].cpu()
        self._zero[places] = result.zero_gradient_fraction[rows].cpu()
        self._left -= len(places)
        kept = self._shown[places]
        if bool(kept.any()):
            wanted = rows.nonzero()[:, 0][kept.to(rows.device)]
            self._previews.append(
                (self._ids[places][kept], result.images[wanted].cpu(), result.logits[wanted].cpu())
            )

    @property
    def complete(self) -> bool:
        """Whether all rows are in."""
        return self._left == 0

    def cells(self) -> Iterator[CellResult]:
        """Yield the cells of the computation, once it is complete."""
        previews: dict[str, Any] = {}
        if self._previews:
            found = [torch.cat(parts).contiguous().numpy() for parts in zip(*self._previews, strict=True)]
            previews = dict(zip(("preview_indices", "preview_images", "preview_logits"), found, strict=True))
        for number, key in enumerate(self._computation.keys()):
            yield CellResult(
                **vars(key),
                images=len(self._ids),
                success=float(self._success.float().mean()),
                clean_wrong=float((~self._correct).float().mean()),
                zero_gradient_fraction=float(self._zero.mean()),
                success_per_image=self._success.numpy(),
                clean_correct=self._correct.numpy(),
                loss_per_image=self._loss.numpy(),
                zero_gradient_per_image=self._zero.numpy(),
                indices=self._ids.numpy(),
                shared=number > 0,
                micro_batch=self._micro_batch,
                **previews,
            )
