"""Projected gradient descent whose outcome is a property of each image."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from sip_explorer.attacks.judge import joined, judged, one
from sip_explorer.attacks.loop import Climb, climb
from sip_explorer.attacks.losses import LossName
from sip_explorer.attacks.quiet import ModelMode, Precision, QuietModel, loss_of
from sip_explorer.attacks.request import MicroBatch, Norm, Request, checked_request
from sip_explorer.attacks.result import AttackResult, AttackState, Perturbation, result_of
from sip_explorer.attacks.settings import (
    Execution,
    Keep,
    Reduction,
    ZeroGradient,
    check_settings,
    threat_model,
)
from sip_explorer.attacks.steps import Guard, StepRule
from sip_explorer.records import CancelToken, SipError


@dataclass(frozen=True, kw_only=True)
class PGD:
    """Projected gradient descent (Madry et al., 2018) in L-inf and L2.

    At one micro-batch, device, thread count and software version, an image's result is bitwise the
    same in every batch, order and neighbourhood: losses are per sample, random starts are keyed by
    (seed, epoch, image, restart), and every call is padded to the one shape ``micro_batch``. The model must
    round an image alike in every row of a batch: convolutions, ReLU and linear layers do, PyTorch's
    SiLU, GELU, sigmoid and the like on a CPU only where micro-batch and threads are powers of two.

    Attributes
    ----------
    norm
        ``linf`` or ``l2``.
    epsilon
        Radius of the ball in units of [0, 1] images.
    step_size
        Length of a step; None is 2.5 * epsilon / steps.
    steps
        At least 1.
    loss
        See `attack_loss`.
    reduction
        ``sum``, or ``mean`` over the logical mini-batch: the weight 1/n on an image's gradient.
    step
        ``sign``, ``normalised`` (L2) or ``raw``; see `ascent_direction`.
    guard
        None, ``("add", c)`` or ``("floor", c)``: only to show what such guards do.
    zero_gradient
        What an image without any gradient does: ``random`` takes a keyed random direction (not for raw
        steps, whose length is the gradient's), ``stay`` none. Both are counted.
    keep
        ``best`` per image over every iterate (misclassified before not, then the larger loss), or
        ``last`` iterate.
    random_start, restarts, seed
        Start uniform in the ball; how often; the seed of all random numbers.
    precision
        ``float32``, or autocast to ``bfloat16`` or ``float16`` for the steps. Losses are computed on
        float32 logits and the outcome is always judged in float32. On a CPU see `Float16ThroughFloat32`.
    model_mode
        ``eval``, or ``train`` (literal execution only) to show what batch statistics do.
    execution
        ``vectorised``: mini-batches are weights, which is exact for a model in eval mode.
        ``literal``: they are really formed, with the mean really taken.
    micro_batch
        The one batch shape that the model sees in vectorised execution.
    pad_to
        Literal mini-batches are padded with copies to this many images, so that every N has one shape
        too; None leaves them as they are.
    eot
        Readings over which gradient, loss and verdict of a randomised model are averaged (expectation
        over transformation; Athalye et al., 2018).
    """

    norm: Norm = "linf"
    epsilon: float = 8 / 255
    step_size: float | None = None
    steps: int = 10
    loss: LossName = "log-odds"
    reduction: Reduction = "sum"
    step: StepRule = "sign"
    guard: Guard | None = None
    zero_gradient: ZeroGradient = "random"
    keep: Keep = "best"
    random_start: bool = True
    restarts: int = 1
    seed: int = 0
    precision: Precision = "float32"
    model_mode: ModelMode = "eval"
    execution: Execution = "vectorised"
    micro_batch: int = 64
    pad_to: int | None = None
    eot: int = 1

    def __post_init__(self) -> None:
        check_settings(self)

    @classmethod
    def authors(cls, **changes: Any) -> Self:
        """Return SIP-AT's attack: CE, sum, sign, 8/255, 32 steps of 1/255, the last iterate."""
        preset: dict[str, Any] = {
            "loss": "ce",
            "epsilon": 8 / 255,
            "steps": 32,
            "step_size": 1 / 255,
            "zero_gradient": "stay",
            "keep": "last",
        }
        return cls(**(preset | changes))

    @classmethod
    def threat_model(cls, name: str, **changes: Any) -> Self:
        """Return the attack in the ball of a usual threat model; see `threat_models` for the names."""
        ball = threat_model(name)
        preset: dict[str, Any] = {"norm": ball.norm, "epsilon": ball.epsilon}
        if ball.norm == "l2":
            preset["step"] = "normalised"
        return cls(**(preset | changes))

    @classmethod
    def degraded(cls, **changes: Any) -> Self:
        """Return the attack whose strength depends on the batch: CE-mean and no step without a gradient.

        In L2 the step is normalised with the guard ``("add", 1e-10)`` unless another is named.
        """
        preset: dict[str, Any] = {"loss": "ce", "reduction": "mean", "zero_gradient": "stay"}
        if changes.get("norm") == "l2" and changes.get("step", "normalised") == "normalised":
            preset |= {"step": "normalised", "guard": ("add", 1e-10)}
        return cls(**(preset | changes))

    def step_length(self, epsilon: float | Tensor) -> float | Tensor:
        """Return the length of a step at ``epsilon``."""
        if self.step_size is not None:
            return self.step_size
        # In float32 also for a number, so that it makes no difference whether epsilon is one or a tensor.
        length = 2.5 * torch.as_tensor(epsilon, dtype=torch.float32) / self.steps
        return length if isinstance(epsilon, Tensor) else float(length)

    def __call__(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        epsilon: float | Tensor | None = None,
        batch_size: int | Tensor | None = None,
        budget: Tensor | None = None,
        indices: Tensor | Sequence[int] | None = None,
        targets: Tensor | None = None,
        epoch: int = 0,
    ) -> AttackResult:
        """Attack ``images`` and return the judged result; the arguments are those of `iterate`."""
        return result_of(
            self.iterate(
                model,
                images,
                labels,
                epsilon=epsilon,
                batch_size=batch_size,
                budget=budget,
                indices=indices,
                targets=targets,
                epoch=epoch,
            )
        )

    def iterate(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        epsilon: float | Tensor | None = None,
        batch_size: int | Tensor | None = None,
        budget: Tensor | None = None,
        indices: Tensor | Sequence[int] | None = None,
        targets: Tensor | None = None,
        epoch: int = 0,
        token: CancelToken | None = None,
    ) -> Generator[AttackState, None, AttackResult]:
        """Attack ``images``, a state per step; the generator returns the judged result.

        Micro-batch by micro-batch: each runs steps 0 to ``steps`` (restart by restart) before the next
        begins, so up to ``micro_batch`` images are seen growing together. Between two states the model
        is exactly as the caller left it.

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
        batch_size
            The logical mini-batch under ``reduction="mean"``: a number cuts the images in order into
            mini-batches, the last one short; (N,) gives each image its own n; None is the whole call.
        budget
            (N, 1, H, W), (1, 1, H, W) or (H, W) in [0, 1]: the share of epsilon each pixel may move.
        indices
            (N,) image ids for the random numbers; None derives them from the images' content.
        targets
            (N,) int64 for a targeted attack.
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
        request, quiet = self._prepared(model, images, labels, epsilon, batch_size, budget, indices, targets)
        parts = []
        for batch in self._micro_batches(request, quiet):
            loss = loss_of(self.loss, batch.labels, batch.targets)
            clean = quiet.ask(batch.images, loss, draws=self.eot, judge=True)
            steps = climb(self, quiet, batch, epoch=epoch, read_last=True)
            while True:
                if token is not None:
                    token.check()
                try:
                    state = next(steps)
                except StopIteration as end:
                    parts.append(judged(self, quiet, batch, clean, end.value))
                    break
                assert state is not None
                yield state
        return joined(parts, images.device)

    def perturb(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        epsilon: float | Tensor | None = None,
        batch_size: int | Tensor | None = None,
        budget: Tensor | None = None,
        indices: Tensor | Sequence[int] | None = None,
        targets: Tensor | None = None,
        epoch: int = 0,
        token: CancelToken | None = None,
    ) -> Generator[None, None, Perturbation]:
        """Make the images and judge nothing, a breath per step: what training needs.

        ``made = yield from attack.perturb(...)``; with ``keep="last"`` and one restart it costs one
        forward and one backward pass per step and nothing else. Arguments as in `iterate`.
        """
        request, quiet = self._prepared(model, images, labels, epsilon, batch_size, budget, indices, targets)
        made: list[Climb] = []
        for batch in self._micro_batches(request, quiet):
            steps = climb(self, quiet, batch, epoch=epoch, read_last=False)
            while True:
                if token is not None:
                    token.check()
                try:
                    next(steps)
                except StopIteration as end:
                    made.append(end.value.without_padding(batch.count))
                    break
                yield None
            quiet.require_finite()
        zero = one([part.zero for part in made], images.device)
        return Perturbation(one([part.images for part in made], images.device), zero.mean(1), zero.mean(0))

    def _prepared(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilon: float | Tensor | None,
        batch_size: int | Tensor | None,
        budget: Tensor | None,
        indices: Tensor | Sequence[int] | None,
        targets: Tensor | None,
    ) -> tuple[Request, QuietModel]:
        request = checked_request(
            images,
            labels,
            norm=self.norm,
            epsilon=self.epsilon if epsilon is None else epsilon,
            batch_size=batch_size,
            budget=budget,
            indices=indices,
            targets=targets,
        )
        if self.execution == "literal" and isinstance(request.batch_size, Tensor):
            raise SipError(
                "Literal execution forms real mini-batches: give one mini-batch size for all images."
            )
        size = min(request.batch_size, len(images)) if isinstance(request.batch_size, int) else 0
        if self.pad_to is not None and size > self.pad_to:
            raise SipError(f"Mini-batches of {size} images do not fit into {self.pad_to}: raise pad_to.")
        quiet = QuietModel(
            model, images, highest_label=request.highest_label, mode=self.model_mode, seed=self.seed
        )
        return request, quiet

    def _micro_batches(self, request: Request, quiet: QuietModel) -> Iterator[MicroBatch]:
        return request.micro_batches(
            self.micro_batch,
            quiet.device,
            mean=self.reduction == "mean",
            literal=self.execution == "literal",
            pad_to=self.pad_to,
        )
