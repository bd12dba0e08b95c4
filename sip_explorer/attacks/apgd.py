"""Auto-PGD: projected gradient descent that halves its own steps, run after run until an image breaks."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from sip_explorer.attacks.apgd_slots import Slots, Work
from sip_explorer.attacks.ball import like
from sip_explorer.attacks.losses import LossName, loss_names
from sip_explorer.attacks.quiet import Precision, QuietModel, loss_of
from sip_explorer.attacks.request import MicroBatch, Norm, checked_request
from sip_explorer.attacks.result import EnsembleResult, result_of
from sip_explorer.attacks.settings import require_seed, require_whole, threat_model
from sip_explorer.records import CancelToken, SipError

TARGETED = "targeted-"


@dataclass(frozen=True)
class ApgdState:
    """How far the attack is: ``finished`` of ``total`` images have their verdict, ``broken`` are wrong."""

    finished: int
    broken: int
    total: int


@dataclass(frozen=True)
class Run:
    """One run: the loss it climbs, the rank of its target class (0: untargeted) and its number."""

    loss: LossName
    rank: int
    restart: int

    @property
    def name(self) -> str:
        """Return what the run is called in results."""
        again = f" restart {self.restart + 1}" if self.restart else ""
        return f"{TARGETED}{self.loss} {self.rank}{again}" if self.rank else f"{self.loss}{again}"


@dataclass(frozen=True, kw_only=True)
class APGD:
    """Auto-PGD (Croce and Hein, 2020, algorithm 1) in L-inf and L2, within budgets.

    The runs of an image (losses, targets, restarts) follow one another until one breaks it, at the
    first iterate that the model misclassifies. Rows of different images, runs and steps share one
    batch of the fixed shape ``micro_batch``: a row that is done makes room for the next, so no pass
    is spent on broken images. As in `PGD`, and where `PGD` is, an image's result is bitwise the same in any
    company.

    Attributes
    ----------
    norm, epsilon
        The ball, in units of [0, 1] images.
    steps
        Per run. The first step is 2 * epsilon long.
    loss
        Names of `attack_loss`, or of the same with ``targeted-`` before them, which is a run for each
        of the ``targets`` most likely wrong classes at the clean image.
    restarts
        Runs per loss and target.
    targets
        How many target classes at most.
    rho
        The step is halved where fewer than this share of the steps since the last check climbed.
    seed
        Of the starts, which are keyed by (seed, epoch, image, run).
    precision
        ``float32``, or autocast to ``bfloat16`` or ``float16`` for the steps; an image counts as
        broken only where the float32 model agrees.
    eot
        Readings of a randomised model over which gradient, loss and verdict are averaged.
    micro_batch
        The one batch shape that the model sees; part of a result's identity.
    """

    norm: Norm = "linf"
    epsilon: float = 8 / 255
    steps: int = 100
    loss: str | Sequence[str] = ("log-odds",)
    restarts: int = 1
    targets: int = 9
    rho: float = 0.75
    seed: int = 0
    precision: Precision = "float32"
    eot: int = 1
    micro_batch: int = 64

    def __post_init__(self) -> None:
        object.__setattr__(self, "loss", (self.loss,) if isinstance(self.loss, str) else tuple(self.loss))
        if self.norm not in ("linf", "l2"):
            raise SipError(f"The attack's norm is {self.norm!r}; choose one of linf, l2.")
        if self.precision not in ("float32", "bfloat16", "float16"):
            raise SipError(
                f"The attack's precision is {self.precision!r}; choose one of float32, bfloat16, float16."
            )
        if not self.loss:
            raise SipError(f"APGD has no loss: choose one of {', '.join(loss_names())}.")
        for name in self.loss:
            if not isinstance(name, str) or name.removeprefix(TARGETED) not in loss_names():
                raise SipError(
                    f"The attack's loss is {name!r}; choose one of {', '.join(loss_names())}, or one of "
                    f"them with “{TARGETED}” before it."
                )
        require_whole(self, "The attack's", "steps", "restarts", "targets", "eot", "micro_batch")
        require_seed(self.seed)
        if not 0 < self.rho < 1:
            raise SipError(f"The attack's rho is {self.rho}; it must lie between 0 and 1.")

    @classmethod
    def ce_and_targeted(cls, **changes: Any) -> Self:
        """Return the first half of AutoAttack: a run on CE, then targeted DLR on nine classes."""
        preset: dict[str, Any] = {"loss": ("ce", "targeted-dlr")}
        return cls(**(preset | changes))

    @classmethod
    def threat_model(cls, name: str, **changes: Any) -> Self:
        """Return the attack in the ball of a usual threat model; see `threat_models` for the names."""
        ball = threat_model(name)
        preset: dict[str, Any] = {"norm": ball.norm, "epsilon": ball.epsilon}
        return cls(**(preset | changes))

    def runs(self, classes: int) -> tuple[Run, ...]:
        """Return the runs on a model of so many classes, in their order."""
        found = []
        for name in self.loss:
            loss = cast("LossName", name.removeprefix(TARGETED))
            ranks = range(1, min(self.targets, classes - 1) + 1) if name.startswith(TARGETED) else (0,)
            found += [Run(loss, rank, restart) for rank in ranks for restart in range(self.restarts)]
        return tuple(found)

    def __call__(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        epsilon: float | Tensor | None = None,
        budget: Tensor | None = None,
        indices: Tensor | Sequence[int] | None = None,
        epoch: int = 0,
    ) -> EnsembleResult:
        """Attack ``images`` and return the judged result; the arguments are those of `iterate`."""
        return result_of(
            self.iterate(model, images, labels, epsilon=epsilon, budget=budget, indices=indices, epoch=epoch)
        )

    def iterate(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        epsilon: float | Tensor | None = None,
        budget: Tensor | None = None,
        indices: Tensor | Sequence[int] | None = None,
        epoch: int = 0,
        token: CancelToken | None = None,
    ) -> Generator[ApgdState, None, EnsembleResult]:
        """Attack ``images``, a state per step of the batch; the generator returns the judged result.

        Between two states the model is exactly as the caller left it.

        Parameters
        ----------
        model
            Logits (N, K) from images in [0, 1].
        images
            (N, C, H, W) float in [0, 1]; their memory format is kept.
        labels
            (N,) int64.
        epsilon
            The attack's own if None; a number, or (N,), one per image.
        budget
            (N, 1, H, W), (1, 1, H, W) or (H, W) in [0, 1]: the share of epsilon each pixel may move.
        indices
            (N,) image ids for the random numbers; None derives them from the images' content.
        epoch
            Changes the random numbers.
        token
            Looked at before each step.

        Raises
        ------
        SipError
            An argument cannot be meant so; the sentence says which and why.
        Cancelled
            ``token`` was cancelled.
        """
        request = checked_request(
            images,
            labels,
            norm=self.norm,
            epsilon=self.epsilon if epsilon is None else epsilon,
            batch_size=None,
            budget=budget,
            indices=indices,
            targets=None,
        )
        quiet = QuietModel(model, images, highest_label=request.highest_label, seed=self.seed)
        batches = list(request.micro_batches(self.micro_batch, quiet.device, mean=False, literal=False))
        state = ApgdState(0, 0, len(images))
        clean_logits = yield from self._logits(quiet, batches, [b.images for b in batches], token, state)
        runs = self.runs(clean_logits.shape[1])
        work = _work(batches, clean_logits)
        correct = clean_logits.argmax(1) == work.labels
        slots = Slots(self, quiet, work, runs, epoch)
        waiting = correct & work.movable
        settled, wrong = int((~waiting).sum()), int((~correct).sum())
        state = replace(state, finished=settled, broken=wrong)
        for finished, broken in slots.climb(waiting.nonzero()[:, 0].tolist()):
            state = replace(state, finished=settled + finished, broken=wrong + broken)
            yield state
            if token is not None:
                token.check()
        found = [_padded(part, self.micro_batch) for part in torch.split(slots.found, self.micro_batch)]
        logits = yield from self._logits(quiet, batches, found, token, state)
        success = ~correct | (logits.argmax(1) != work.labels)
        broken_by = torch.where(success & correct, slots.broken_by, -1)
        steps, blind = slots.counts()
        device = images.device
        return EnsembleResult(
            images=slots.found.to(device),
            success=success.to(device),
            clean_correct=correct.to(device),
            logits=logits.to(device),
            clean_logits=clean_logits.to(device),
            broken_by=broken_by.to(device),
            runs=tuple(run.name for run in runs),
            zero_gradient_fraction=blind.to(device),
            steps=steps.to(device),
        )

    def _logits(
        self,
        quiet: QuietModel,
        batches: Sequence[MicroBatch],
        images: Sequence[Tensor],
        token: CancelToken | None,
        state: ApgdState,
    ) -> Generator[ApgdState, None, Tensor]:
        """Return the verdict's logits: float32, eval mode, at the one batch shape; yield ``state``."""
        parts = []
        for batch, pixels in zip(batches, images, strict=True):
            if token is not None:
                token.check()
            loss = loss_of("margin", batch.labels, None)
            parts.append(quiet.ask(pixels, loss, draws=self.eot, judge=True).logits[: batch.count])
            quiet.require_finite()
            yield state
        return torch.cat(parts)


def _work(batches: Sequence[MicroBatch], clean_logits: Tensor) -> Work:
    def joined(parts: Iterator[Tensor]) -> Tensor:
        return torch.cat([part[: batch.count] for part, batch in zip(parts, batches, strict=True)])

    def radius(batch: MicroBatch) -> Tensor:
        epsilon = torch.as_tensor(batch.epsilon, device=batch.images.device, dtype=torch.float32)
        return epsilon.expand(len(batch.images), 1, 1, 1)

    budgets = [batch.budget for batch in batches if batch.budget is not None]
    return Work(
        images=joined(batch.images for batch in batches),
        labels=joined(batch.labels for batch in batches),
        epsilon=joined(radius(batch) for batch in batches),
        budget=joined(iter(budgets)) if budgets else None,
        ids=joined(batch.ids for batch in batches),
        movable=joined(batch.movable for batch in batches),
        ranking=torch.argsort(clean_logits, dim=1, descending=True, stable=True),
    )


def _padded(part: Tensor, size: int) -> Tensor:
    if len(part) == size:
        return part
    return like(torch.cat([part, part[-1:].expand(size - len(part), *part.shape[1:])]), part)
