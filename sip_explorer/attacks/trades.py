"""The inner attack of TRADES (Zhang et al., ICML 2019, arXiv 1901.08573): away from the own answer."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sip_explorer.attacks.ball import LinfBall
from sip_explorer.attacks.judge import one
from sip_explorer.attacks.keyed import image_keys
from sip_explorer.attacks.quiet import Precision, QuietModel
from sip_explorer.attacks.request import MicroBatch, checked_request
from sip_explorer.attacks.result import Perturbation
from sip_explorer.attacks.settings import require_seed, require_whole
from sip_explorer.attacks.steps import ascent_direction, random_direction
from sip_explorer.records import CancelToken


def divergence(reference: Tensor, logits: Tensor) -> Tensor:
    """Return KL(p ‖ q) per image, (N,), for the logits (N, K) ``reference`` of p and ``logits`` of q."""
    expected = F.log_softmax(reference, dim=1)
    return (expected.exp() * (expected - F.log_softmax(logits, dim=1))).sum(1)


@dataclass(frozen=True, kw_only=True)
class TradesAttack:
    """Sign steps up KL(p(x) ‖ p(x')) in the L-infinity ball; labels play no part.

    It starts at x + deviation · N(0, 1), for at x itself the divergence has no gradient. p(x) is computed
    once. The last iterate is returned, as for training; an image's result does not depend on its batch.

    In half precision the answer at the start may be that at x, bit for bit: an image without any gradient
    takes a keyed random direction, as in `PGD`, and is counted.

    Attributes
    ----------
    epsilon, step_size, steps
        As in `PGD`; the authors' are 8/255, 1/255 and 32 in SIP-AT's comparison.
    deviation
        Standard deviation of the start, in units of [0, 1] images (authors: 0.001).
    seed, precision, micro_batch
        As in `PGD`.
    """

    epsilon: float = 8 / 255
    steps: int = 10
    step_size: float | None = None
    deviation: float = 0.001
    seed: int = 0
    precision: Precision = "float32"
    micro_batch: int = 64

    def __post_init__(self) -> None:
        require_whole(self, "The attack's", "steps", "micro_batch")
        require_seed(self.seed)

    def perturb(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        epsilon: float | None = None,
        batch_size: Tensor | None = None,
        budget: Tensor | None = None,
        indices: Tensor | Sequence[int] | None = None,
        epoch: int = 0,
        token: CancelToken | None = None,
    ) -> Generator[None, None, Perturbation]:
        """Make the images, a breath per step; arguments as in `PGD.perturb` (``batch_size`` has no say)."""
        radius = self.epsilon if epsilon is None else epsilon
        request = checked_request(
            images, labels, norm="linf", epsilon=radius, batch_size=batch_size, budget=budget,
            indices=indices, targets=None,
        )  # fmt: skip
        quiet = QuietModel(model, images, seed=self.seed)
        made, zero = [], []
        for batch in request.micro_batches(self.micro_batch, quiet.device, mean=False, literal=False):
            pixels, none = yield from self._climb(quiet, batch, radius, epoch, token)
            made.append(pixels[: batch.count])
            zero.append(none[: batch.count])
            quiet.require_finite()
        shares = one(zero, images.device)
        return Perturbation(one(made, images.device), shares.mean(1), shares.mean(0))

    def _climb(
        self, quiet: QuietModel, batch: MicroBatch, epsilon: float, epoch: int, token: CancelToken | None
    ) -> Generator[None, None, tuple[Tensor, Tensor]]:
        zero = batch.images.new_zeros(len(batch.images), self.steps)
        if not bool(batch.movable.any()):
            return batch.images, zero
        ball = LinfBall(batch.images, batch.epsilon, batch.budget)
        reference = quiet.ask(batch.images, _nothing, precision=self.precision).logits
        images = ball.near(image_keys(batch.ids, self.seed, epoch, 0, 0), self.deviation)
        length = 2.5 * epsilon / self.steps if self.step_size is None else self.step_size
        for step in range(self.steps):
            if token is not None:
                token.check()
            reading = quiet.climb(
                images, lambda logits: divergence(reference, logits), batch.weights, precision=self.precision
            )
            assert reading.gradient is not None
            direction, none = ascent_direction(reading.gradient, "sign", budget=batch.budget)
            none &= batch.movable
            zero[:, step] += none
            if bool(none.any()):
                keys = image_keys(batch.ids, self.seed, epoch, 0, step + 1)
                instead = random_direction(keys, images, "sign", batch.budget)
                direction = torch.where(none[:, None, None, None], instead, direction)
            images = ball.move(images, direction, length)
            yield None
        return images, zero


def _nothing(logits: Tensor) -> Tensor:
    return torch.zeros(len(logits), device=logits.device)
