"""A sweep: one attack for every condition, epsilon and mini-batch size, a file per cell."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from sip_explorer.attacks.claim import claim_folder
from sip_explorer.attacks.collecting import CollectedRows
from sip_explorer.attacks.memory import with_less_memory
from sip_explorer.attacks.placed import placed
from sip_explorer.attacks.plan import Call, Computation, SweepSpec, calls, computations, recorded_twins
from sip_explorer.attacks.request import Request, checked_request
from sip_explorer.attacks.result import AttackResult, AttackState
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.sweeps import CellKey, cell_path, read_cell, write_cell


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
    those of the folder. Where memory does not suffice, the micro-batch of the condition at hand is
    halved; every cell records the one it was computed with.

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
    claim_folder(
        Path(folder), spec.common(), spec.axes(), models, request.images, request.labels, ids,
        torch.device(device),
    )  # fmt: skip

    keys = [key for name in models for key in spec.cells(name)]
    done = {key for key in keys if cell_path(folder, key).exists()}
    same = {key: twin for name in models for key, twin in recorded_twins(spec, name, done)}
    work = {name: computations(spec, name, done | same.keys()) for name in models}
    shown = torch.isin(ids, torch.tensor(sorted(preview), dtype=torch.int64))
    left = sum(len(part) for parts in work.values() for part in parts)
    run = _Run(spec, Path(folder), request, ids, shown, token, left, total=left * count)
    yield Started(f"Sweep of {len(keys)} cells over {count} images", run.total)
    if done:
        yield Notice(f"{len(done)} of {len(keys)} cells were there already and are kept.")
    for key, twin in same.items():
        cell = replace(read_cell(cell_path(folder, twin)), batch_size=key.batch_size, shared=True)
        yield Artefact("cell", str(write_cell(folder, cell)), cell)
    for name, model in models.items():
        if not work[name]:
            continue
        on_device = placed(model, torch.device(device), name)
        for part in work[name]:
            subject = f"{name} ({part[0].condition.words})"
            yield from with_less_memory(
                partial(run.compute, on_device, part),
                1 if spec.execution == "literal" else spec.micro_batch,
                subject=subject,
                refusal=_refusal(spec, part, subject),
                device=torch.device(device),
            )
            if run.stopped:
                yield Finished("stopped", _summary(folder, keys, done))
                return
    yield Finished("completed", _summary(folder, keys, done))


@dataclass
class _Run:
    """What is left to compute, and the computing of it.

    ``left`` counts computations, ``total`` the rows of all that there were at the start.
    """

    spec: SweepSpec
    folder: Path
    request: Request
    ids: Tensor
    shown: Tensor
    token: CancelToken | None
    left: int
    total: int
    stopped: bool = False

    def compute(
        self, model: nn.Module, part: list[Computation], micro_batch: int
    ) -> Generator[Event | None, None, None]:
        """Compute ``part``, all of one condition, and take out of it what is on disk.

        A cell is made of rows of one micro-batch: what was begun and not finished begins anew.
        """
        count = len(self.ids)
        attack = replace(self.spec.attack(part[0].condition), micro_batch=micro_batch)
        literal = self.spec.execution == "literal"
        work = list(part)
        cells = [
            CollectedRows(
                item, self.ids, self.shown, min(item.batch_sizes[0], count) if literal else micro_batch
            )
            for item in work
        ]
        rows_done = self.total - count * self.left
        for call in calls(self.spec, work, count, micro_batch):
            steps = attack.iterate(
                model,
                self.request.images[call.places],
                self.request.labels[call.places],
                epsilon=call.epsilon,
                batch_size=call.batch_size,
                indices=self.ids[call.places],
                token=self.token,
            )
            while True:
                try:
                    state = next(steps)
                except StopIteration as end:
                    result: AttackResult = end.value
                    break
                yield from _shown(state, call, work, self.shown, self.folder)
            for owner in _distinct(call.owners):
                cells[owner].add(call.places[call.owners == owner], result, call.owners == owner)
                if cells[owner].complete:
                    for cell in cells[owner].cells():
                        yield Artefact("cell", str(write_cell(self.folder, cell)), cell)
                    part.remove(work[owner])
                    self.left -= 1
            rows_done += len(call.places)
            yield Progress(rows_done, self.total, _described(work[int(call.owners[-1])]))
            if self.token is not None and self.token.stopping:
                self.stopped = True
                return


def _refusal(spec: SweepSpec, part: Sequence[Computation], subject: str) -> str:
    if spec.execution == "literal":
        return (
            f"There is not enough memory for a literal mini-batch of {part[0].batch_sizes[0]} images of "
            f"{subject}: choose vectorised execution, or leave this size out."
        )
    return (
        f"There is not enough memory for one single image of {subject}: close other programs, or choose a "
        "smaller model, smaller images or another device."
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
    return f"{item.model}: {item.condition.words}, ε {item.epsilon:.4g}, N {sizes}"


def _summary(folder: Path | str, keys: Sequence[CellKey], done: set[CellKey]) -> dict[str, int]:
    there = sum(cell_path(folder, key).exists() for key in keys)
    return {"cells": len(keys), "computed": there - len(done), "kept": len(done)}
