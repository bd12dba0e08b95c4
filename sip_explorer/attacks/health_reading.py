"""What can be wrong with a model under attack that shows when it is only read."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sip_explorer.attacks.losses import LossName
from sip_explorer.attacks.quiet import QuietModel, loss_of
from sip_explorer.attacks.request import Request
from sip_explorer.records import CancelToken

ROUNDING = 1e-5  # of the largest output: kernels may round an image differently at another place of a batch
TOLERATED = 0.01  # share of images that may be without a gradient


@dataclass(frozen=True)
class HealthFinding:
    """One thing that was looked at.

    ``name`` says what, ``figure`` what was measured, ``sentence`` what that means and, where the model
    has not ``passed``, what to do.
    """

    name: str
    passed: bool
    figure: str
    sentence: str

    @classmethod
    def of(cls, name: str, passed: bool, figure: str, *, good: str, bad: str) -> "HealthFinding":
        """Return the finding with the sentence for its outcome."""
        return cls(name, passed, figure, good if passed else bad)


Finding = Generator[None, None, HealthFinding]


class Subject:
    """A model and the images it is examined with, always read at the one batch shape.

    Attributes
    ----------
    request
        The images and labels.
    size
        The batch shape; short batches are filled up with copies of their last image.
    token
        Looked at before every reading.
    clean
        (N, K), the outputs at the clean images, once `finite` has read them.
    climbable
        Whether attacks by gradients can be tried, once `gradients` has looked.
    """

    clean: Tensor
    climbable: bool

    def __init__(
        self, model: nn.Module, request: Request, *, size: int, seed: int, token: CancelToken | None
    ) -> None:
        self.model, self.request, self.size, self.token = model, request, size, token
        self.quiet = QuietModel(model, request.images, highest_label=request.highest_label, seed=seed)
        self.count = len(request.images)

    @property
    def correct(self) -> Tensor:
        """Return which images the model gets right: (N,) bool."""
        return self.clean.argmax(1) == self.request.labels

    def logits(self, places: Sequence[int]) -> Generator[None, None, Tensor]:
        """Return the outputs (n, K) at the images in these places, in this order and company."""
        parts = []
        for batch in torch.split(torch.tensor(places), self.size):
            if self.token is not None:
                self.token.check()
            filled = torch.cat([batch, batch[-1:].expand(self.size - len(batch))])
            with self.quiet.lent() as ask, torch.no_grad():
                parts.append(ask(self.request.images[filled].to(self.quiet.device))[: len(batch)])
            yield None
        return torch.cat(parts).to(self.request.images.device)

    def finite(self) -> Finding:
        """Read the clean images."""
        self.clean = yield from self.logits(range(self.count))
        wrong = int((~self.clean.isfinite().all(1)).sum())
        return HealthFinding.of(
            "finite outputs",
            wrong == 0,
            f"{wrong} of {self.count} images without",
            good="The model answers every image with finite numbers.",
            bad=f"On {wrong} of {self.count} images the model answers with NaN or infinity: check its "
            "weights and its normalisation; nothing else could be examined.",
        )

    def scores(self) -> HealthFinding:
        """Look at the outputs: scores, or probabilities already."""
        low, high = (float(bound) for bound in torch.aminmax(self.clean))
        sums = (self.clean.sum(1) - 1).abs().max()
        probabilities = low > -1e-5 and high < 1 + 1e-5 and bool(sums < 1e-5)
        return HealthFinding.of(
            "scores, not probabilities",
            not probabilities,
            f"outputs from {low:.3g} to {high:.3g}",
            good="The outputs are scores without bounds, as attacks need them.",
            bad="The outputs are probabilities, in which confident images have next to no gradient: use the "
            "model without its last softmax.",
        )

    def repeatable(self) -> Finding:
        """Read the clean images once more."""
        again = yield from self.logits(range(self.count))
        apart, same = self._apart(again, self.clean)
        return HealthFinding.of(
            "same answer twice",
            same,
            f"outputs up to {apart:.2g} apart",
            good="The model answers the same images alike every time.",
            bad=f"The same images get outputs up to {apart:.2g} apart: the model is randomised, so attack it "
            "with gradients averaged over many readings (EOT; AutoAttack's version rand). Whether it also "
            "depends on the batch cannot be told.",
        )

    def independent(self) -> Finding:
        """Read images alone, in another order and among others."""
        some = sorted({0, self.count // 2, self.count - 1})
        companies = [
            range(self.count)[::-1],
            range(0, self.count, 2),
            *([place] * self.size for place in some),
        ]
        apart, same = 0.0, True
        for places in companies:
            found = yield from self.logits(places)
            difference, alike = self._apart(found, self.clean[torch.tensor(places)])
            apart, same = max(apart, difference), same and alike
        return HealthFinding.of(
            "each image by itself",
            same,
            f"outputs up to {apart:.2g} apart",
            good="An image gets the same outputs alone, among others and in any order.",
            bad=f"The same image gets outputs up to {apart:.2g} apart in other company: what the model says "
            "depends on the batch, so no image has a robustness of its own; find the layer that mixes images "
            "(batch statistics, say) and make it use fixed values.",
        )

    def gradients(self) -> Generator[None, None, list[HealthFinding]]:
        """Count the images at which the gradient is identically zero, or no number, in float32, by loss."""
        lost = self.count, 0
        flows = self._differentiable()
        stuck, broken = (yield from self._lost("log-odds")) if flows else lost
        saturated, broken_too = (yield from self._lost("ce")) if flows else lost
        self.climbable = flows and not broken and not broken_too
        hidden = (
            "rounding, a step function or a detached value stops it, and attacks by gradients see nothing "
            "there; attack the model without that step, or with a smooth one in its place."
        )
        sure = (
            "the model is so sure of them that the loss saturates, and attacks on it, AutoAttack's first one "
            "included, do nothing there; use log-odds."
        )
        return [
            HealthFinding.of(
                f"gradients under {loss}",
                zero <= TOLERATED * self.count and not unreal,
                f"{zero + unreal} of {self.count} images without",
                good=f"Images have a gradient under {loss} to climb.",
                bad=f"The gradient of {unreal} of {self.count} images under {loss} holds NaN or infinity: "
                "look for a root, a norm or a logarithm at 0 in the model, and add a small number there."
                if unreal
                else f"{zero} of {self.count} images have no gradient at all under {loss}: {why}",
            )
            for loss, zero, unreal, why in (
                ("log-odds", stuck, broken, hidden),
                ("cross-entropy", saturated, broken_too, sure if saturated > stuck else hidden),
            )
        ]

    def _differentiable(self) -> bool:
        with self.quiet.lent() as ask, torch.enable_grad():
            images = self.request.images[[0] * self.size].to(self.quiet.device)
            return ask(images.requires_grad_()).requires_grad

    def _lost(self, loss: LossName) -> Generator[None, None, tuple[int, int]]:
        """Return at how many images the gradient is zero, and at how many it is no number."""
        zero = unreal = 0
        for batch in self.request.micro_batches(self.size, self.quiet.device, mean=False, literal=False):
            if self.token is not None:
                self.token.check()
            of = loss_of(loss, batch.labels, None)
            reading = self.quiet.climb(batch.images, of, batch.weights, precision="float32")
            assert reading.gradient is not None
            largest = reading.gradient.abs().flatten(1).amax(1)[: batch.count]
            zero += int((largest == 0).sum())
            unreal += int((~largest.isfinite()).sum())
            yield None
        return zero, unreal

    def _apart(self, found: Tensor, expected: Tensor) -> tuple[float, bool]:
        """Return the largest difference, and whether rounding explains it."""
        apart = float((found - expected).abs().max())
        return apart, apart <= ROUNDING * max(1.0, float(expected.abs().max()))
