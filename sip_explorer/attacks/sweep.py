"""A sweep: one attack for every condition, epsilon and mini-batch size, a file per cell."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sip_explorer.attacks.claim import claim_folder
from sip_explorer.attacks.plan import Call, Computation, SweepSpec, calls, computations
from sip_explorer.attacks.request import checked_request
from sip_explorer.attacks.result import AttackResult, AttackState
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.sweeps import (
    CellKey,
    CellResult,
    cell_path,
    write_cell,
)


def sweep(
    models: Mapping[str, nn.Module],
    images: Tensor,
    labels: Tensor,
    spec: SweepSpec,
    folder: Path | str,
    *,
    indices: Tensor | Sequence[int] | None = None,
    preview: Sequence[int] = (),
    token: CancelToken | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[Event | None]:
    """Attack ``images`` with every combination of ``spec`` and write a cell as soon as it is known.

    A cell that is in the folder is not computed again, so a killed or cancelled sweep goes on where it
    was, and axes may grow. Settings that all cells share, the models' weights and the images must be
    those of the folder.

    Parameters
    ----------
    models
        By the name they are shown under; logits from images in [0, 1].
    images
        (N, C, H, W) float in [0, 1].
    labels
        (N,) int64.
    spec
        What is swept.
    folder
        The sweep's folder; made if it is not there.
    indices
        (N,) image ids; 0 … N − 1 if None.
    preview
        Image ids whose growth is to be seen: their states are yielded and their adversarial images kept.
    token
        ``cancel`` raises Cancelled before the next step, ``stop`` ends after the micro-batch; what is
        on disk stays either way.
    device
        Where the attack runs; a model that lies elsewhere is copied there.

    Yields
    ------
    Event or None
        Started, Notice, Progress per micro-batch, None per step or
        ``Artefact("attack-state", path of its cell, AttackState)`` for the preview images (``rows`` are
        places in ``images``), ``Artefact("cell", path, CellResult)`` per cell, Finished.

    Raises
    ------
    SipError
        What is asked for cannot be meant, or the folder holds another sweep.
    """
    if not models:
        raise SipError("No model is selected: choose at least one model to attack.")
    request = checked_request(
        images,
        labels,
        norm=spec.norm,
        epsilon=max(spec.epsilons),
        batch_size=None,
        budget=None,
        indices=range(len(images)) if indices is None else indices,
        targets=None,
    )
    count = len(images)
    if spec.execution == "literal" and max(spec.batch_sizes) > count:
        raise SipError(
            f"Literal execution forms real mini-batches and {count} images make none of "
            f"{max(spec.batch_sizes)}: select more images or choose vectorised execution."
        )
    assert request.ids is not None
    ids = request.ids.cpu()
    unknown = sorted(set(preview) - set(ids.tolist()))
    if unknown:
        raise SipError(f"Image {unknown[0]} is to be shown but is not among those attacked: select it too.")
    claim_folder(Path(folder), spec, models, request.images, request.labels, ids, torch.device(device))

    keys = [CellKey(name, *c, e, n) for name in models for c in spec.conditions()
            for e in spec.epsilons for n in spec.batch_sizes]  # fmt: skip
    done = {key for key in keys if cell_path(folder, key).exists()}
    work = {name: computations(spec, name, done) for name in models}
    total = count * sum(len(part) for part in work.values())
    yield Started(f"Sweep of {len(keys)} cells over {count} images", total)
    if done:
        yield Notice(f"{len(done)} of {len(keys)} cells were there already and are kept.")

    rows_done = 0
    shown = torch.isin(ids, torch.tensor(sorted(preview), dtype=torch.int64))
    for name, model in models.items():
        placed = _on(model, torch.device(device)) if work[name] else model
        by_condition = groupby(work[name], key=lambda item: (item.loss, item.reduction, item.precision))
        for condition, group in by_condition:
            attack, part = spec.attack(*condition), list(group)
            cells = [_Collected(item, ids, shown) for item in part]
            for call in calls(spec, part, count):
                steps = attack.iterate(
                    placed,
                    request.images[call.places],
                    request.labels[call.places],
                    epsilon=call.epsilon,
                    batch_size=call.batch_size,
                    indices=ids[call.places],
                    token=token,
                )
                while True:
                    try:
                        state = next(steps)
                    except StopIteration as end:
                        result: AttackResult = end.value
                        break
                    yield from _shown(state, call, part, shown, folder)
                for owner in _distinct(call.owners):
                    cells[owner].add(call.places[call.owners == owner], result, call.owners == owner)
                    for cell in cells[owner].finished():
                        path = write_cell(folder, cell)
                        yield Artefact("cell", str(path), cell)
                rows_done += len(call.places)
                yield Progress(rows_done, total, _described(part[int(call.owners[-1])]))
                if token is not None and token.stopping:
                    yield Finished("stopped", _summary(folder, keys, done))
                    return
    yield Finished("completed", _summary(folder, keys, done))


class _Collected:
    """The results of one computation as its rows come in."""

    def __init__(self, computation: Computation, ids: Tensor, shown: Tensor) -> None:
        count = len(ids)
        self._computation = computation
        self._ids = ids
        self._shown = shown
        self._left = count
        self._success = torch.zeros(count, dtype=torch.bool)
        self._correct = torch.zeros(count, dtype=torch.bool)
        self._loss = torch.zeros(count)
        self._zero = torch.zeros(count)
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

    def finished(self) -> Iterator[CellResult]:
        """Yield the cells of the computation once all rows are in; nothing before."""
        if self._left:
            return
        previews: dict[str, Any] = {}
        if self._previews:
            found = [torch.cat(parts).contiguous().numpy() for parts in zip(*self._previews, strict=True)]
            previews = dict(zip(("preview_indices", "preview_images", "preview_logits"), found, strict=True))
        for number, key in enumerate(self._computation.keys()):
            yield CellResult(
                model=key.model,
                loss=key.loss,
                reduction=key.reduction,
                precision=key.precision,
                epsilon=key.epsilon,
                batch_size=key.batch_size,
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
                **previews,
            )


def _shown(
    state: AttackState, call: Call, part: Sequence[Computation], shown: Tensor, folder: Path | str
) -> Iterator[Event | None]:
    owners, places = call.owners[state.rows], call.places[state.rows]
    wanted = shown[places]
    if not bool(wanted.any()):
        yield None
        return
    for owner in _distinct(owners[wanted]):
        rows = wanted & (owners == owner)
        there = rows.to(state.images.device)
        seen = replace(
            state,
            images=state.images[there],
            loss=state.loss[there],
            success=state.success[there],
            predictions=state.predictions[there],
            zero_gradient=state.zero_gradient[there],
            rows=places[rows],
        )
        yield Artefact("attack-state", str(cell_path(folder, part[owner].keys()[0])), seen)


def _distinct(numbers: Tensor) -> list[int]:
    return sorted(set(numbers.tolist()))


def _described(item: Computation) -> str:
    sizes = ", ".join(str(size) for size in item.batch_sizes)
    return f"{item.model}: {item.loss} {item.reduction} {item.precision}, ε {item.epsilon:.4g}, N {sizes}"


def _summary(folder: Path | str, keys: Sequence[CellKey], done: set[CellKey]) -> dict[str, int]:
    there = sum(cell_path(folder, key).exists() for key in keys)
    return {"cells": len(keys), "computed": there - len(done), "kept": len(done)}


def _on(model: nn.Module, device: torch.device) -> nn.Module:
    first = next(model.parameters(), None)
    if first is None or first.device.type == device.type:
        return model
    return copy.deepcopy(model).to(device)
