"""An evaluation: standard attacks on models at a list of epsilons, a file per figure."""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sip_explorer.attacks.apgd import ApgdState
from sip_explorer.attacks.autoattack import AutoAttack, AutoAttackState
from sip_explorer.attacks.claim import claim_folder
from sip_explorer.attacks.evaluation_plan import Attack, EvaluationSpec, images_path, standard_attacks
from sip_explorer.attacks.losses import attack_loss
from sip_explorer.attacks.memory import with_less_memory
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.placed import placed
from sip_explorer.attacks.regions import Part, parts
from sip_explorer.attacks.request import checked_request
from sip_explorer.attacks.result import AttackResult, AttackState, EnsembleResult
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.adversarial import AdversarialImages, described_origin, write_adversarial
from sip_explorer.records.epsilon import format_epsilon
from sip_explorer.records.sweeps import REGIONS, CellKey, CellResult, cell_path, write_cell

PARTS = 1000
"""Units of progress per figure."""


def evaluate(
    models: Mapping[str, nn.Module],
    images: Tensor,
    labels: Tensor,
    spec: EvaluationSpec,
    folder: Path | str,
    *,
    indices: Tensor | Sequence[int] | None = None,
    salience: Tensor | None = None,
    salience_source: str = "",
    keep_images: bool = False,
    token: CancelToken | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[Event | None]:
    """Attack ``images`` with the standard attacks and write each figure as soon as it is known; a job.

    Figures that are in the folder are not computed again, and AutoAttack goes on within a figure, so
    a killed or cancelled evaluation goes on where it was; attacks, epsilons and models may be added.

    Parameters
    ----------
    models
        By the name they are shown under; logits from images in [0, 1].
    images
        (N, C, H, W) float in [0, 1].
    labels
        (N,) int64.
    spec
        What is evaluated.
    folder
        The evaluation's folder; made if it is not there.
    indices
        (N,) image ids; 0 … N − 1 if None.
    salience
        (N, 1, H, W) uint8 (S = value / 255) or floats in [0, 1], needed for the salient region and the
        background; see `regions.parts` for what belongs to them and which images are left out.
    salience_source
        Where it comes from, for the manifest.
    keep_images
        Keep the adversarial images as ``adversarial/<cell>.h5``.
    token
        ``cancel`` raises Cancelled between two steps, ``stop`` ends after the figure at hand.
    device
        Where the attacks run; a model that lies elsewhere is copied there.

    Yields
    ------
    Event or None
        Started, Progress, Notice (what AutoAttack warns of), ``Artefact("cell", path, CellResult)`` per
        figure, Finished.

    Raises
    ------
    SipError
        What is asked for cannot be meant, or the folder holds another evaluation.
    """
    if not models:
        raise SipError("No model is selected: choose at least one model to attack.")
    device, folder = torch.device(device), Path(folder)
    request = checked_request(
        images, labels, norm=spec.norm, epsilon=max(spec.epsilons), batch_size=None, budget=None,
        indices=range(len(images)) if indices is None else indices, targets=None,
    )  # fmt: skip
    assert request.ids is not None
    settings = {"job": "evaluation", "norm": spec.norm, "seed": spec.seed}
    settings |= {"micro_batch": spec.micro_batch, "batch_size": spec.batch_size}
    region_parts = parts(request, spec.regions, salience)
    axes: dict[str, list[Any]] = {
        name: list(getattr(spec, name)) for name in ("attacks", "epsilons", "regions")
    }
    claim_folder(
        folder, settings, axes, models, request.images, request.labels, request.ids.cpu(), device,
        kind="evaluation", salience=salience if set(spec.regions) - set(REGIONS[:1]) else None,
        salience_source=salience_source,
    )  # fmt: skip
    work = [
        (model, attack, epsilon, region)
        for attack in spec.attacks
        for region in spec.regions
        for model in models
        for epsilon in spec.epsilons
    ]
    keys = [spec.key(*place) for place in work]
    there = [_is_there(folder, key, keep_images) for key in keys]
    yield Started(f"Evaluation of {len(models)} models over {len(images)} images", PARTS * len(work))
    if any(there):
        yield Notice(f"{sum(there)} of {len(keys)} figures were there already and are kept.")
    told = False
    for number, ((name, attack, epsilon, region), key) in enumerate(zip(work, keys, strict=True)):
        if there[number]:
            continue
        part = region_parts[region]
        if part.notice and not told:
            told = True
            yield Notice(part.notice)
        if token is not None and token.stopping:
            yield Finished("stopped", {"figures": sum(_is_there(folder, key, False) for key in keys)})
            return
        where = f", {region} only" if key.restricted else ""
        subject = f"{name} ({standard_attacks()[attack].words}, ε {format_epsilon(epsilon)}{where})"
        figure = _Figure(spec, part, folder, key, keep_images, token, subject, number, len(work))
        yield from with_less_memory(
            partial(figure.compute, placed(models[name], device, name)),
            spec.batch_size if attack == "autoattack" else spec.micro_batch,
            subject=subject,
            refusal=f"There is not enough memory for one single image of {subject}: close other programs, "
            "or choose a smaller model or another device.",
            device=device,
        )
    yield Finished("completed", {"figures": len(keys), "computed": there.count(False)})


@dataclass(frozen=True)
class _Figure:
    """One model under one attack at one epsilon in one region."""

    spec: EvaluationSpec
    part: Part
    folder: Path
    key: CellKey
    keep_images: bool
    token: CancelToken | None
    subject: str
    number: int
    figures: int

    def compute(self, model: nn.Module, size: int) -> Generator[Event | None, None, None]:
        """Attack in batches of ``size`` and write the figure."""
        attack = self.spec.attack(self.key.attack, self.key.epsilon, size)
        unfinished = self.folder / "unfinished" / f"{self.key.name}-b{size}.h5"
        images, labels, budget = self.part.images, self.part.labels, self.part.budget
        steps: Generator[Any, None, AttackResult | EnsembleResult]
        if isinstance(attack, AutoAttack):
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            steps = attack.iterate(model, images, labels, budget=budget, state=unfinished, token=self.token)
        else:
            ids = self.part.ids
            steps = attack.iterate(model, images, labels, budget=budget, indices=ids, token=self.token)
        notices, done = [self.part.notice] if self.part.notice else [], 0.0
        while True:
            try:
                state = next(steps)
            except StopIteration as end:
                result: AttackResult | EnsembleResult = end.value
                break
            if isinstance(state, Notice):
                notices.append(state.message)
                yield Notice(f"{self.subject}: {state.message}")
                continue
            done, before = max(done, self._share(attack, state)), done
            moved = int(PARTS * done) > int(PARTS * before)
            yield Progress(self._done(done), PARTS * self.figures, self.subject) if moved else None
        if self.keep_images:
            self._write_images(result)
        cell = self._cell(result, size, notices)
        path = write_cell(self.folder, cell)
        for begun in unfinished.parent.glob(f"{self.key.name}-b*.h5"):  # in larger batches too, before
            begun.unlink()
        yield Artefact("cell", str(path), cell)
        yield Progress(self._done(1), PARTS * self.figures, self.subject)

    def _done(self, share: float) -> int:
        return int(PARTS * (self.number + share))

    def _share(self, attack: Attack, state: object) -> float:
        if isinstance(state, AutoAttackState):
            return state.done / max(1, state.total)
        if isinstance(state, ApgdState):
            return state.finished / state.total
        if isinstance(state, AttackState) and isinstance(attack, PGD):
            batches = math.ceil(len(self.part.images) / attack.micro_batch)
            batch = int(state.rows[0]) // attack.micro_batch
            return (batch + state.step / max(1, state.steps)) / batches
        return 0.0

    def _cell(self, result: AttackResult | EnsembleResult, size: int, notices: Sequence[str]) -> CellResult:
        success, correct = result.success.cpu(), result.clean_correct.cpu()
        zero = result.zero_gradient_fraction
        zero = torch.full((len(success),), torch.nan) if zero is None else zero.cpu()
        runs: tuple[str, ...] = ()
        loss: Tensor
        if isinstance(result, AttackResult):
            broken_by, loss = np.empty(0, np.int64), result.loss
        else:  # runs of several losses have no loss in common: the margin says how far an image stands
            runs, broken_by = result.runs, result.broken_by.cpu().numpy()
            loss = attack_loss("margin", result.logits.cpu(), self.part.labels.cpu())
        return CellResult(
            **vars(self.key),
            images=len(success),
            success=float(success.float().mean()),
            clean_wrong=float((~correct).float().mean()),
            zero_gradient_fraction=float(zero.mean()),
            success_per_image=success.numpy(),
            clean_correct=correct.numpy(),
            loss_per_image=loss.cpu().numpy(),
            zero_gradient_per_image=zero.float().numpy(),
            indices=self.part.ids.cpu().numpy(),
            micro_batch=size,
            breakers=runs,
            broken_by_per_image=broken_by,
            notices=tuple(notices),
        )

    def _write_images(self, result: AttackResult | EnsembleResult) -> None:
        path = images_path(self.folder, self.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        words = standard_attacks()[self.key.attack].words
        write_adversarial(
            path,
            AdversarialImages(
                images=result.images.cpu().contiguous().numpy(),
                labels=self.part.labels.cpu().numpy(),
                indices=self.part.ids.cpu().numpy(),
                origin=described_origin(
                    model=self.key.model, attack=words, epsilon=self.key.epsilon, norm=self.spec.norm
                ),
            ),
        )


def _is_there(folder: Path, key: CellKey, images: bool) -> bool:
    return cell_path(folder, key).exists() and (not images or images_path(folder, key).exists())
