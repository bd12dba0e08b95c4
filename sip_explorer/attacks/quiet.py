"""The attacked model, asked without leaving a trace on it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from sip_explorer.attacks.ball import like
from sip_explorer.attacks.half import Float16ThroughFloat32
from sip_explorer.attacks.losses import LossName, attack_loss
from sip_explorer.records import SipError
from sip_explorer.records.arithmetic import repeatable

Precision = Literal["float32", "bfloat16", "float16"]
ModelMode = Literal["eval", "train"]
LossOf = Callable[[Tensor], Tensor]
"""From logits (N, K) to one loss per image (N,)."""

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Reading:
    """What the model said of a batch: ``logits`` (N, K) and ``loss`` (N,), float32, detached.

    ``gradient`` (N, C, H, W) float32 is that of the weighted sum of the losses.
    """

    logits: Tensor
    loss: Tensor
    gradient: Tensor | None = None

    @property
    def predictions(self) -> Tensor:
        """Return the class with the largest output, (N,) int64."""
        return self.logits.argmax(1)


class QuietModel:
    """A model whose state is as the caller left it before and after every single question.

    Parameters' ``requires_grad`` and ``.grad``, every submodule's mode, buffers (BatchNorm's
    statistics), the random state, autocast and gradient modes are put back when the answer is there
    or an exception leaves, so between two steps of an attack anyone may use the model. A randomised
    model draws from a stream of its own, seeded by ``seed``.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        *,
        highest_label: int = 0,
        mode: ModelMode = "eval",
        seed: int = 0,
    ) -> None:
        self._model = model
        self._highest_label = highest_label
        self._training = mode == "train"
        if any(parameter.is_inference() for parameter in model.parameters()):
            raise SipError(
                "The model was made in torch.inference_mode, through which no gradient passes: make or load "
                "it outside."
            )
        self._modules = list(model.modules())
        self._parameters = list(model.parameters())
        self._buffers = list(model.buffers())
        self.device = self._parameters[0].device if self._parameters else images.device
        self._streams = _RandomStreams(self.device, seed)
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)
        self._climbable = self._finite.clone()

    def require_finite(self) -> None:
        """Raise SipError if any answer or gradient so far held a NaN or an infinity (a GPU is waited for)."""
        if not bool(self._climbable):
            raise SipError(
                "The model's answers are finite but its gradient at the images is not (NaN or infinity): "
                "look for a root, a norm or a logarithm at 0 in it, and add a small number there."
            )
        if not bool(self._finite):
            raise SipError(
                "The model answered with numbers that are not finite (NaN or infinity): check its weights, "
                "or choose float32 instead of a half precision."
            )

    def ask(
        self,
        images: Tensor,
        loss: LossOf,
        *,
        precision: Precision = "float32",
        draws: int = 1,
        judge: bool = False,
    ) -> Reading:
        """Return the model's reading of ``images`` without a gradient; ``judge`` always in eval mode.

        Logits and losses are means over ``draws`` readings, which differ for a randomised model.
        """
        with self._entered(precision, gradients=False, training=self._training and not judge):
            readings = []
            for _ in range(draws):
                logits = self._logits(images)
                readings.append((logits, loss(logits)))
            return Reading(*(_mean(parts) for parts in zip(*readings, strict=True)))

    def climb(
        self,
        images: Tensor,
        loss: LossOf,
        weights: Tensor | None,
        *,
        precision: Precision,
        draws: int = 1,
        count: int | None = None,
    ) -> Reading:
        """Return the reading with the gradient of ``sum(weights * loss)``.

        ``weights`` (N,) go into the backward pass as they are, which is bit for bit what a mean over
        n gives with 1/n; None takes the real mean, of the first ``count`` images where the others are
        padding. Over ``draws`` readings the gradient is averaged (EOT; Athalye et al., 2018).
        """
        with self._entered(precision, gradients=True, training=self._training):
            point = ordinary(images).detach().requires_grad_()
            readings = []
            for _ in range(draws):
                logits = self._logits(point)
                losses = loss(logits)
                if not losses.requires_grad:
                    raise SipError(
                        "The model's outputs carry no gradient to the images (a comparison, an argmax or a "
                        "detach cuts it off), so there is nothing to climb: attack it without that step."
                    )
                if weights is None:
                    gradient = torch.autograd.grad(losses[:count].mean(), point)[0]
                else:
                    gradient = torch.autograd.grad(losses, point, weights)[0]
                if precision == "float16":  # an overflow on the way back must not reach the pixels
                    gradient = gradient.nan_to_num()
                # Of answers that are no numbers the gradient is none either; the answers are the cause.
                # The extremes tell (they keep NaN), fifteen times faster than asking every value.
                sound = gradient.amin().isfinite() & gradient.amax().isfinite()
                self._climbable = self._climbable & (sound | ~self._finite)
                readings.append((logits.detach(), losses.detach(), gradient))
            logits, losses, gradient = (_mean(parts) for parts in zip(*readings, strict=True))
            return Reading(logits, losses, like(gradient, images))

    @contextmanager
    def lent(self) -> Iterator[Callable[[Tensor], Tensor]]:
        """Lend the model, in eval mode and frozen, to code that has steps of its own.

        Yields the function from images (n, C, H, W) to float32 logits (n, K) in the gradient mode of
        whoever calls it. Until the block ends the process's random state is that of this model's stream.
        """
        with self._entered("float32", gradients=torch.is_grad_enabled(), training=False):
            yield self._logits

    def _logits(self, images: Tensor) -> Tensor:
        answer = self._model(images.clone())  # it may write into its input, to normalise it, say
        if not isinstance(answer, Tensor):
            raise SipError(
                f"The model answers with a {type(answer).__name__} where one tensor of class scores is "
                "needed: wrap it so that it returns its logits."
            )
        if answer.ndim != 2 or answer.shape[0] != images.shape[0] or answer.shape[1] < 2:
            raise SipError(
                f"The model answers {tuple(images.shape)} images with a tensor of shape "
                f"{tuple(answer.shape)}; class scores of shape (images, classes >= 2) are needed."
            )
        if self._highest_label >= answer.shape[1]:
            raise SipError(
                f"A label is {self._highest_label} and the model knows the classes 0 to "
                f"{answer.shape[1] - 1}: choose the model that belongs to these images."
            )
        logits = ordinary(answer).float()
        self._finite = self._finite & logits.detach().isfinite().all()
        return logits

    @contextmanager
    def _entered(self, precision: Precision, *, gradients: bool, training: bool) -> Iterator[None]:
        slow_half = precision == "float16" and self.device.type == "cpu"
        modes = [module.training for module in self._modules]
        trained = [parameter for parameter in self._parameters if parameter.requires_grad]
        kept = [buffer.clone() for buffer in self._buffers] if training else []
        self._streams.swap()
        try:
            if any(mode != training for mode in modes):
                self._model.train(training)
            for parameter in trained:
                parameter.requires_grad_(False)
            with (
                torch.inference_mode(False),
                torch.set_grad_enabled(gradients),
                torch.autocast(self.device.type, _DTYPES[precision], enabled=precision != "float32"),
                Float16ThroughFloat32() if slow_half else nullcontext(),  # type: ignore[no-untyped-call]
                repeatable(self.device),
            ):
                yield
        finally:
            self._streams.swap()
            for parameter in trained:
                parameter.requires_grad_(True)
            for module, mode in zip(self._modules, modes, strict=True):
                if module.training != mode:
                    module.training = mode
            with torch.no_grad():
                for buffer, value in zip(self._buffers, kept, strict=False):
                    buffer.copy_(value)


class _RandomStreams:
    """The attack's own random state; ``swap`` exchanges it with the state of the process."""

    def __init__(self, device: torch.device, seed: int) -> None:
        self._cuda = device if device.type == "cuda" else None
        self._cpu_state = torch.Generator().manual_seed(seed).get_state()
        if self._cuda is not None:
            self._cuda_state = torch.Generator(self._cuda).manual_seed(seed).get_state()

    def swap(self) -> None:
        outside = torch.get_rng_state()
        torch.set_rng_state(self._cpu_state)
        self._cpu_state = outside
        if self._cuda is not None:
            outside = torch.cuda.get_rng_state(self._cuda)
            torch.cuda.set_rng_state(self._cuda_state, self._cuda)
            self._cuda_state = outside


def ordinary(values: Tensor) -> Tensor:
    """Return ``values``, copied if they were made in inference mode: such take part in no backward pass."""
    return values.clone() if values.is_inference() else values


def loss_of(name: LossName, labels: Tensor, targets: Tensor | None) -> LossOf:
    """Return `attack_loss` as a function of the logits alone."""

    def loss(logits: Tensor) -> Tensor:
        aims = None if targets is None else ordinary(targets)
        return attack_loss(name, logits, ordinary(labels), aims)

    return loss


def _mean(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.stack(list(parts)).mean(0)
