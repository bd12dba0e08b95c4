"""Transfer: the adversarial examples of each model, tried on each other."""

import hashlib
import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sip_explorer.attacks.apgd import APGD, ApgdState
from sip_explorer.attacks.claim import claim_folder
from sip_explorer.attacks.foreign import answers
from sip_explorer.attacks.memory import with_less_memory
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.placed import placed
from sip_explorer.attacks.quiet import QuietModel
from sip_explorer.attacks.request import Request, checked_request
from sip_explorer.attacks.result import AttackResult, AttackState, EnsembleResult
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.adversarial import (
    AdversarialImages,
    described_origin,
    read_adversarial,
    write_adversarial,
)
from sip_explorer.records.transfers import TransferMatrix, write_transfer_table


def transfer(
    models: Mapping[str, nn.Module],
    images: Tensor,
    labels: Tensor,
    attack: PGD | APGD,
    folder: Path | str,
    *,
    indices: Tensor | Sequence[int] | None = None,
    token: CancelToken | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[Event | None]:
    """Attack every model and try its examples on every other, as a job.

    The examples of a source are written to ``sources/`` in the folder as soon as they are made, and are
    not made again by a later start; models may be added. The matrix goes to ``transfer.csv`` too.

    Parameters
    ----------
    models
        At least two, by the name they are shown under, of the same classes and input size.
    images
        (N, C, H, W) float in [0, 1].
    labels
        (N,) int64.
    attack
        Run on every source; its ``micro_batch`` is the batch shape for judging too, halved where
        memory does not suffice.
    folder
        The transfer's own folder; made if it is not there.
    indices
        (N,) image ids; 0 … N − 1 if None.
    token
        ``cancel`` raises Cancelled before the next step, ``stop`` ends after the source at work.
    device
        Where it runs; a model that lies elsewhere is copied there.

    Yields
    ------
    Event or None
        Started, Notice, Progress in attacked images, None per step,
        ``Artefact("transfer-source", path)`` per source made,
        ``Artefact("transfer", path of transfer.csv, TransferMatrix)``, Finished.

    Raises
    ------
    SipError
        The models cannot be compared, or the folder holds other work.
    """
    folder, device, token = Path(folder), torch.device(device), token or CancelToken()
    request = checked_request(
        images,
        labels,
        norm=attack.norm,
        epsilon=attack.epsilon,
        batch_size=None,
        budget=None,
        indices=range(len(images)) if indices is None else indices,
        targets=None,
    )
    _require_comparable(models, tuple(images.shape[1:]))
    assert request.ids is not None
    ids, total = request.ids.cpu(), len(models) * len(images)
    settings = {"job": "transfer", "attack": type(attack).__name__} | asdict(attack)
    settings = json.loads(json.dumps(settings))  # as the manifest is read: lists for tuples
    claim_folder(folder, settings, {}, models, request.images, request.labels, ids, device, kind="transfer")
    there = sum(_source_path(folder, name).exists() for name in models)
    yield Started(f"Transfer between {len(models)} models over {len(ids)} images", total)
    if there:
        yield Notice(f"The examples of {there} of {len(models)} models were there already and are kept.")

    on_device = {name: placed(model, device, name) for name, model in models.items()}
    work = _Work(on_device, request, attack, folder, token)
    correct = yield from with_less_memory(
        work.clean_correct,
        attack.micro_batch,
        subject="the clean images",
        refusal=f"There is not enough memory on {device} for one image: choose a smaller model.",
        device=device,
    )
    success = []
    for name in models:
        fooled = yield from with_less_memory(
            partial(work.fooled_by, name),
            attack.micro_batch,
            subject=f"the examples of {name}",
            refusal=f"There is not enough memory on {device} to attack {name}: choose a smaller model.",
            device=device,
        )
        success.append(fooled | ~correct)
        yield Progress(len(success) * len(ids), total, f"tried the examples of {name}")
        if token.stopping and len(success) < len(models):
            yield Finished("stopped", {"sources": len(success), "computed": len(work.made)})
            return
    matrix = TransferMatrix(
        tuple(models), np.stack(success), correct, ids.numpy(), attack.norm, attack.epsilon
    )
    write_transfer_table(folder / "transfer.csv", matrix)
    yield Artefact("transfer", str(folder / "transfer.csv"), matrix)
    yield Finished("completed", {"sources": len(models), "computed": len(work.made)})


@dataclass(frozen=True)
class _Work:
    """What all sources have in common; ``made`` are those whose examples were made now."""

    models: Mapping[str, nn.Module]
    request: Request
    attack: PGD | APGD
    folder: Path
    token: CancelToken
    made: set[str] = field(default_factory=set)

    def clean_correct(self, micro_batch: int) -> Generator[None, None, NDArray[np.bool_]]:
        """Return which model gets which clean image right, (S, N)."""
        right, classes = [], {}
        for name, model in self.models.items():
            logits = yield from self._logits(model, self.request.images, micro_batch)
            classes[name] = logits.shape[1]
            right.append((logits.argmax(1) == self.request.labels.cpu()).numpy())
        if len(set(classes.values())) > 1:
            said = ", ".join(f"{name}: {count}" for name, count in classes.items())
            raise SipError(
                f"The models know different numbers of classes ({said}): transfer needs models of the same "
                "classes in the same order."
            )
        return np.stack(right)

    def fooled_by(self, source: str, micro_batch: int) -> Generator[Event | None, None, NDArray[np.bool_]]:
        """Return which target misclassifies which example of ``source``, (S, N)."""
        attack = replace(self.attack, micro_batch=micro_batch)
        examples = yield from self._examples(source, attack)
        given = torch.from_numpy(examples.images).to(self.request.images.device)
        fooled = []
        for model in self.models.values():
            logits = yield from self._logits(model, given, micro_batch)
            fooled.append((logits.argmax(1) != self.request.labels.cpu()).numpy())
        return np.stack(fooled)

    def _examples(self, source: str, attack: PGD | APGD) -> Generator[Event | None, None, AdversarialImages]:
        path, images = _source_path(self.folder, source), self.request.images
        assert self.request.ids is not None
        ids = self.request.ids.cpu().numpy()
        if path.exists():
            channels, height, width = images.shape[1:]
            try:
                return read_adversarial(path, shape=(channels, height, width), indices=ids)
            except SipError as error:
                yield Notice(f"{error} The examples of {source} are made again.")
        made = yield from self._attacked(source, attack)
        origin = described_origin(model=source, attack=repr(attack), epsilon=attack.epsilon, norm=attack.norm)
        examples = AdversarialImages(
            made.cpu().contiguous().numpy(), self.request.labels.cpu().numpy(), ids, origin
        )
        write_adversarial(path, examples)
        self.made.add(source)
        yield Artefact("transfer-source", str(path))
        return examples

    def _attacked(self, source: str, attack: PGD | APGD) -> Generator[Progress | None, None, Tensor]:
        images = self.request.images
        before, total = list(self.models).index(source) * len(images), len(self.models) * len(images)
        steps: Generator[AttackState | ApgdState, None, AttackResult | EnsembleResult] = attack.iterate(
            self.models[source], images, self.request.labels, indices=self.request.ids, token=self.token
        )
        shown = -1
        while True:
            try:
                state = next(steps)
            except StopIteration as end:
                result: AttackResult | EnsembleResult = end.value
                return result.images
            done = state.finished if isinstance(state, ApgdState) else int(state.rows[0])
            yield Progress(before + done, total, f"attacking {source}") if done > shown else None
            shown = max(shown, done)

    def _logits(self, model: nn.Module, images: Tensor, micro_batch: int) -> Generator[None, None, Tensor]:
        quiet = QuietModel(model, images, highest_label=self.request.highest_label, seed=self.attack.seed)
        steps = answers(quiet, self.request, images, micro_batch, self.token, draws=self.attack.eot)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                logits: Tensor = end.value
                return logits
            yield None


def _require_comparable(models: Mapping[str, nn.Module], shape: tuple[int, ...]) -> None:
    if len(models) < 2:
        raise SipError("Transfer tries the examples of one model on another: choose at least two models.")
    for name, model in models.items():
        size = tuple(getattr(model, "input_shape", shape))
        if size != shape:
            raise SipError(
                f"{name} takes images of {_sides(size)} and these are {_sides(shape)}: transfer needs models "
                "of one input size."
            )
    named = [(name, getattr(model, "classes", None)) for name, model in models.items()]
    known = [(name, tuple(classes)) for name, classes in named if classes is not None]
    for name, classes in known:
        if classes != known[0][1]:
            raise SipError(
                f"{known[0][0]} and {name} know different classes: transfer needs models of the same classes "
                "in the same order."
            )


def _sides(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _source_path(folder: Path, name: str) -> Path:
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return folder / "sources" / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', name)[:80]}-{digest}.h5"
