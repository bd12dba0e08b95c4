"""How accurate a model is, clean and attacked, and whether it is sane: kept in its card."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.models.class_names import match
from sip_explorer.records import (
    Artefact,
    CancelToken,
    Event,
    Finished,
    Metric,
    Progress,
    SipError,
    Started,
)
from sip_explorer.records.epsilon import format_epsilon
from sip_explorer.workspace.cards import Check, Measured
from sip_explorer.workspace.model_proposals import read_pixels
from sip_explorer.workspace.trial_images import TrialImages, trial_images

if TYPE_CHECKING:
    from torch import Tensor

    from sip_explorer.models import Classifier
    from sip_explorer.workspace.models import ModelEntry
    from sip_explorer.workspace.workspace import Workspace

_STEPS = 20
_READ_AT_ONCE = 16
_CHECKED = 32


def measure_model(
    workspace: Workspace,
    entry: ModelEntry,
    *,
    images: int = 500,
    epsilon: float = 8 / 255,
    device: str = "cpu",
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Measure clean accuracy and that under PGD-20 (L∞, log-odds, summed), and keep both in the card.

    PGD is one attack: a model that stands against it may fall to a stronger one (AutoAttack, in the room).

    Parameters
    ----------
    images : int
        At most so many labelled images, stratified over the classes, those of the test split first.
    epsilon : float
        In units of the [0, 1] image.

    Yields
    ------
    Started, Progress (in images), Metric; Artefact("card", data=ModelCard), Finished. After a stop the
    figures of the images done so far are kept.

    Raises
    ------
    SipError
        The workspace has no image of a class that the model knows, or the model cannot be loaded.
    """
    import torch

    from sip_explorer.attacks import PGD
    from sip_explorer.attacks.pace import common_pace

    token = token or CancelToken()
    yield Started(f"measure {entry.name}")
    yield None
    model = entry.load(device, token)
    yield None
    where = torch.device(device)
    chosen, targets = _known_images(workspace, model, images)
    if not len(chosen.ids):
        raise SipError(
            f"{workspace.name} has no labelled image of a class that {entry.name} knows: import some, or "
            "choose the model's classes."
        )
    batch = common_pace([model], model.input_shape, where).micro_batch
    attack = PGD(epsilon=epsilon, steps=_STEPS, micro_batch=batch)
    clean = robust = total = 0
    steps = max(1, -(-len(chosen.ids) // batch)) * (_STEPS + 1)
    done = 0
    for start in range(0, len(chosen.ids), batch):
        token.check()
        if token.stopping and total:
            break
        rows = slice(start, start + batch)
        inputs, kept = yield from _inputs(workspace, chosen.ids[rows], model, token)
        if inputs is None:
            continue
        labels = torch.from_numpy(targets[rows][kept]).to(where)
        ids = torch.from_numpy(chosen.ids[rows][kept])
        climbing = attack.iterate(model, inputs.to(where), labels, indices=ids, token=token)
        while True:
            try:
                next(climbing)
            except StopIteration as end:
                result = end.value
                break
            done += 1
            text = f"PGD-{_STEPS} on {total + len(ids)} of {len(chosen.ids)} images"
            yield Progress(min(done, steps), steps, text)
        clean += int(result.clean_correct.sum())
        robust += int((~result.success).sum())
        total += len(ids)
        yield Metric("validation/clean", clean / total, total)
        yield Metric("validation/pgd", robust / total, total)
    now = time.time()
    which = chosen.words if total == len(chosen.ids) else f"the first {total} of {chosen.words}"
    card = workspace.record_measured(
        entry,
        Measured("clean", 0.0, clean, total, which, now),
        Measured(f"PGD-{_STEPS}, L∞, log-odds", epsilon, robust, total, which, now),
    )
    yield Artefact("card", data=card)
    yield Finished(
        "stopped" if token.stopping else "completed",
        {
            "clean": card.measured[-2].words,
            f"PGD-{_STEPS} at {format_epsilon(epsilon)}": card.measured[-1].words,
            "images": which,
        },
    )


def check_model(
    workspace: Workspace, entry: ModelEntry, *, device: str = "cpu", token: CancelToken | None = None
) -> Iterator[Event | None]:
    """Check a model's sanity on images of the workspace and keep the round in the card: Artefact("card").

    Raises
    ------
    SipError
        The workspace has no image that can be read, or the model cannot be loaded.
    """
    import torch

    from sip_explorer.models.sanity import sanity
    from sip_explorer.records.arithmetic import repeatable

    token = token or CancelToken()
    yield Started(f"check {entry.name}")
    yield None
    model = entry.load(device, token)
    yield None
    where = torch.device(device)
    chosen, targets = _known_images(workspace, model, _CHECKED)
    ids, labelled = (chosen.ids, True) if len(chosen.ids) > 1 else (workspace.image_ids()[:_CHECKED], False)
    inputs, kept = yield from _inputs(workspace, ids, model, token)
    if inputs is None or len(inputs) < 2:
        raise SipError(f"{workspace.name} has fewer than two images that can be read: import some first.")
    labels = torch.from_numpy(targets[kept]).to(where) if labelled else None
    checks: list[Check] = []
    with repeatable(where):
        findings = sanity(model, inputs.to(where), labels)
        while True:
            token.check()
            finding = next(findings, None)
            if finding is None:
                break
            checks.append(Check(finding.name, finding.passed, finding.sentence))
            yield Progress(len(checks), 0, finding.name)
    card = workspace.record_checks(entry, checks)
    yield Artefact("card", data=card)
    yield Finished("completed", {"passed": sum(check.passed for check in checks), "checks": len(checks)})


def _known_images(
    workspace: Workspace, model: Classifier, count: int
) -> tuple[TrialImages, NDArray[np.int64]]:
    """Return labelled images of classes that the model knows, and their classes among the model's."""
    columns = match(model.classes, workspace.classes)
    known = [label for label, column in enumerate(columns) if column >= 0]
    chosen = trial_images(workspace, known, count)
    return chosen, np.array(columns, np.int64)[chosen.labels]


def _inputs(
    workspace: Workspace, ids: NDArray[np.int64], model: Classifier, token: CancelToken
) -> Generator[Event | None, None, tuple[Tensor | None, NDArray[np.bool_]]]:
    """Return the images as the model takes them, and which of them could be read."""
    import torch

    from sip_explorer.data.fitting import fit_images

    found: dict[int, NDArray[np.uint8]] = {}
    for start in range(0, len(ids), _READ_AT_ONCE):
        token.check()
        part = [int(image) for image in ids[start : start + _READ_AT_ONCE]]
        found |= yield from read_pixels(workspace, part, model.input_shape[1:])
        yield None
    kept = np.array([int(image) in found for image in ids], bool)
    if not kept.any():
        return None, kept
    # One by one: grey and coloured pictures may lie side by side.
    parts = [fit_images(found[int(image)][None], model.input_shape) for image in ids[kept]]
    return torch.cat(parts), kept
