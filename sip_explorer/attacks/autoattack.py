"""AutoAttack, the judge: the ensemble of its authors, with their code, as a job that can be resumed."""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sip_explorer.attacks.authors import relayed
from sip_explorer.attacks.confined import LARGEST, Confined
from sip_explorer.attacks.ensemble import NORMS, RUNS, Ensemble, Version, require_squares
from sip_explorer.attacks.quiet import QuietModel
from sip_explorer.attacks.request import Norm, checked_request
from sip_explorer.attacks.result import EnsembleResult, result_of
from sip_explorer.attacks.settings import require_seed, require_whole
from sip_explorer.attacks.unfinished import Found, Unfinished
from sip_explorer.records import CancelToken, Notice, SipError


@dataclass(frozen=True)
class AutoAttackState:
    """How far the evaluation is.

    Attributes
    ----------
    attack
        The run under way, a name of `RUNS`.
    done, total
        Forward passes of a batch, all runs together. ``total`` is what is needed if no image breaks;
        passes that prove unnecessary count as done.
    robust
        How many images still stand.
    """

    attack: str
    done: int
    total: int
    robust: int


@dataclass(frozen=True, kw_only=True)
class AutoAttack:
    """AutoAttack (Croce and Hein, 2020): the authors' attacks, one after another on what still stands.

    Their package does the attacking; outcomes and images are those of its ``run_standard_evaluation``
    at the same seed and batch size. That makes them depend on the batch an image is in, unlike those of
    `PGD` and `APGD`: the authors draw random numbers for a batch as a whole.

    Attributes
    ----------
    norm, epsilon
        The ball, in units of [0, 1] images.
    version
        ``standard``: APGD on CE, APGD on targeted DLR, targeted FAB, Square with 5000 queries. ``rand``,
        for randomised models: APGD on CE and on DLR, each gradient the mean of 20. A model with fewer
        than ten classes has all its wrong classes as targets.
    seed
        Of every batch of every run.
    batch_size
        Images attacked at once; part of a result's identity. A cancel waits for a pass of so many.
    """

    norm: Norm = "linf"
    epsilon: float = 8 / 255
    version: Version = "standard"
    seed: int = 0
    batch_size: int = 250

    def __post_init__(self) -> None:
        for name, known in (("norm", tuple(NORMS)), ("version", tuple(RUNS))):
            if getattr(self, name) not in known:
                raise SipError(
                    f"AutoAttack's {name} is {getattr(self, name)!r}; choose one of {', '.join(known)}."
                )
        require_whole(self, "AutoAttack's", "batch_size")
        require_seed(self.seed)

    @property
    def runs(self) -> tuple[str, ...]:
        """Return the names of the runs, in their order."""
        return RUNS[self.version]

    def __call__(
        self, model: nn.Module, images: Tensor, labels: Tensor, *, budget: Tensor | None = None
    ) -> EnsembleResult:
        """Attack ``images`` and return the verdict; the arguments are those of `iterate`."""
        return result_of(self.iterate(model, images, labels, budget=budget))

    def require_regions(self) -> None:
        """Raise SipError where this attack cannot be kept to a region."""
        if self.norm != "linf" or self.epsilon >= LARGEST:
            raise SipError(
                "AutoAttack can be kept to a region in L-inf below ε 0.5 only: attack by apgd-ce+t, which "
                "knows regions in every ball."
            )

    def iterate(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        budget: Tensor | None = None,
        state: Path | str | None = None,
        token: CancelToken | None = None,
    ) -> Generator[AutoAttackState | Notice | None, None, EnsembleResult]:
        """Attack ``images`` a few forward passes at a time; the generator returns the verdict.

        Between two states model, random state and global flags are exactly as the caller left them.

        Parameters
        ----------
        model
            Logits (N, K) from images in [0, 1].
        images
            (N, C, H, W) float in [0, 1].
        labels
            (N,) int64.
        budget
            (N, 1, H, W), (1, 1, H, W) or (H, W) of 0 and 1: the pixels that may move, in L-inf only. The
            authors' attacks know no such thing; see `Confined` for why they keep to it.
        state
            A file that takes in what is found after every batch of every run. Where it is there
            already, the evaluation goes on from it, to the result it would have had.
        token
            Looked at between two states.

        Yields
        ------
        AutoAttackState, Notice or None
            None while the clean images are read; a Notice for what the authors' code warns of.

        Raises
        ------
        SipError
            An argument cannot be meant so, the model is not one that AutoAttack can judge, or
            ``state`` belongs to another evaluation.
        Cancelled
            ``token`` was cancelled.
        """
        request = checked_request(
            images, labels, norm=self.norm, epsilon=self.epsilon, batch_size=None,
            budget=budget, indices=None, targets=None,
        )  # fmt: skip
        if request.budget is not None:
            self.require_regions()
            region = request.budget.expand(len(images), -1, -1, -1)
            confined = Confined(model, request.images, region)
            result = yield from self.iterate(confined, confined.inputs, labels, state=state, token=token)
            assert torch.equal(confined.rows(result.images).cpu(), torch.arange(len(images)))
            return replace(result, images=confined.images(result.images))
        if self.version == "standard":
            require_squares(self.norm, request.images)
        quiet = QuietModel(model, images, highest_label=request.highest_label, seed=self.seed)
        ensemble = Ensemble(
            quiet, request, norm=self.norm, epsilon=self.epsilon, version=self.version, seed=self.seed
        )
        file = None
        if state is not None:
            file = Unfinished(Path(state), self._settings(), request.images, request.labels, model)
        found = None if file is None else file.read()
        if found is None:
            clean_logits = yield from relayed(ensemble.look(self.batch_size, token), lambda passes: None)
            found = Found.nothing(request.images, request.labels, clean_logits)
            found.warn(ensemble.warned())
            if file is not None:
                file.write(found)
        yield from map(Notice, found.notices)
        ensemble.aim_at(found.clean_logits.shape[1])
        course = _Course(self, ensemble.passes(), found)
        for number in range(found.attack, len(self.runs) if self.epsilon > 0 else 0):
            found.begin(number)
            batches = torch.split(found.robust_before(number).nonzero()[:, 0], self.batch_size)
            state_after = partial(course.state, len(batches))
            for rows in batches[found.batches :] if len(batches[0]) else ():
                made, logits = yield from relayed(
                    ensemble.attack(self.runs[number], rows, token), state_after
                )
                found.take(rows, made, logits, request.labels[rows])
                if number + 1 == len(self.runs) and found.batches == len(batches):
                    ensemble.compare(self._accuracies(found))
                notices = found.warn(ensemble.warned())
                if file is not None:
                    file.write(found)
                yield from map(Notice, notices)
                yield state_after(0)
        return EnsembleResult(
            images=found.images,
            success=~found.robust,
            clean_correct=found.clean_correct,
            logits=found.logits,
            clean_logits=found.clean_logits,
            broken_by=found.broken_by,
            runs=self.runs,
        )

    def _settings(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"version of pyautoattack": version("pyautoattack")}

    def _accuracies(self, found: Found) -> dict[str, float]:
        left = {run: found.robust_before(number + 1) for number, run in enumerate(self.runs)}
        stages = {"clean": found.clean_correct} | left
        return {name: float(stands.float().mean()) for name, stands in stages.items()}


class _Course:
    """What is ahead of an evaluation, in forward passes of a batch."""

    def __init__(self, attack: AutoAttack, passes: Sequence[int], found: Found) -> None:
        self._runs, self._passes, self._found = attack.runs, passes, found
        self._batches = math.ceil(int(found.clean_correct.sum()) / attack.batch_size)  # as a run begins

    def state(self, batches: int, passes: int) -> AutoAttackState:
        """Return where the evaluation stands: in a run of ``batches``, ``passes`` into the next of them."""
        number = self._found.attack
        done = self._batches * sum(self._passes[:number])
        done += (self._batches - batches + self._found.batches) * self._passes[number]
        done += min(passes, self._passes[number])
        total = self._batches * sum(self._passes)
        return AutoAttackState(self._runs[number], done, total, int(self._found.robust.sum()))
