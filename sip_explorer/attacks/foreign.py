"""The verdict on adversarial images that were made elsewhere: do they succeed, and by fair means?"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from sip_explorer.attacks.quiet import QuietModel, loss_of
from sip_explorer.attacks.request import Norm, Request, checked_request
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.adversarial import read_adversarial
from sip_explorer.records.epsilon import format_epsilon

TOLERANCE = 1e-6
"""So far may an image lie outside the ball or [0, 1]: what rounding to float32 leaves."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class ForeignVerdict:
    """What given images do to a model; all tensors on the CPU.

    Attributes
    ----------
    success
        (N,) bool: misclassified from inside the ball and [0, 1]; or the clean image was already, which
        lies in every ball.
    clean_correct
        (N,) bool: the clean image is classified as its label.
    predictions
        (N,) int64: the class of the given image.
    distance
        (N,) float64: from the clean image, in the norm.
    outside_ball, outside_range
        (N,) bool: by more than `TOLERANCE` farther than epsilon, or outside [0, 1].
    norm, epsilon
        The ball; ``epsilon`` a number or (N,).
    """

    success: Tensor
    clean_correct: Tensor
    predictions: Tensor
    distance: Tensor
    outside_ball: Tensor
    outside_range: Tensor
    norm: Norm
    epsilon: float | Tensor

    @property
    def share(self) -> float:
        """Return the share of all images that succeed."""
        return float(self.success.double().mean())

    @property
    def sentence(self) -> str:
        """Return the verdict as a person reads it."""
        ball = "L∞" if self.norm == "linf" else "L2"
        if not isinstance(self.epsilon, Tensor):
            ball += f" {format_epsilon(self.epsilon) if self.norm == 'linf' else f'{self.epsilon:.4g}'}"
        said = (
            f"{int(self.success.sum())} of {len(self.success)} images succeed ({self.share:.1%}), "
            f"{int((~self.clean_correct).sum())} of them wrong without any attack; the largest distance is "
            f"{float(self.distance.max()):.4g} ({ball})"
        )
        outside = int((self.outside_ball | self.outside_range).sum())
        if not outside:
            return said + "."
        return (
            f"{said}; {outside} do not count, {int(self.outside_ball.sum())} of them outside the ball and "
            f"{int(self.outside_range.sum())} outside [0, 1]."
        )


def judge_images(
    model: nn.Module,
    clean: Tensor,
    adversarial: Tensor,
    labels: Tensor,
    *,
    norm: Norm,
    epsilon: float | Tensor,
    micro_batch: int = 64,
    token: CancelToken | None = None,
) -> Generator[int, None, ForeignVerdict]:
    """Judge ``adversarial`` by the model in eval mode and float32; the generator returns the verdict.

    Parameters
    ----------
    model
        Logits (N, K) from images in [0, 1].
    clean, adversarial
        (N, C, H, W) float, in the same order; the clean ones in [0, 1].
    labels
        (N,) int64.
    norm, epsilon
        The ball that counts; ``epsilon`` a number or (N,).
    micro_batch
        The one batch shape that the model sees, as in the attacks.
    token
        Looked at before each micro-batch.

    Yields
    ------
    int
        How many images the model has answered, of 2 N.

    Raises
    ------
    SipError
        The two sets do not belong together, or a pixel is no number.
    """
    request, count = checked_pair(clean, adversarial, labels, norm=norm, epsilon=epsilon), len(clean)
    given = adversarial.detach().to(request.images.device, torch.float32)
    finite = given.isfinite().flatten(1).all(1)
    if not bool(finite.all()):
        faulty = int((~finite).nonzero()[0])
        raise SipError(f"Adversarial image {faulty} holds pixels that are no numbers: make it again.")
    distance = _distance(request.images, given, norm)
    radius = request.epsilon.cpu().double() if isinstance(request.epsilon, Tensor) else request.epsilon
    outside_ball = distance > radius + TOLERANCE
    outside_range = ((given < -TOLERANCE) | (given > 1 + TOLERANCE)).flatten(1).any(1).cpu()
    quiet = QuietModel(model, clean, highest_label=request.highest_label)
    clean_logits = yield from answers(quiet, request, request.images, micro_batch, token)
    logits = yield from answers(quiet, request, given, micro_batch, token, after=count)
    truth = request.labels.cpu()
    clean_correct, predictions = clean_logits.argmax(1) == truth, logits.argmax(1)
    return ForeignVerdict(
        success=~clean_correct | ((predictions != truth) & ~outside_ball & ~outside_range),
        clean_correct=clean_correct,
        predictions=predictions,
        distance=distance,
        outside_ball=outside_ball,
        outside_range=outside_range,
        norm=norm,
        epsilon=epsilon,
    )


def checked_pair(
    clean: Tensor, adversarial: Tensor | None, labels: Tensor, *, norm: Norm, epsilon: float | Tensor
) -> Request:
    """Return the originals as a `Request`; SipError where ``adversarial`` (None: not known) is not theirs."""
    request = checked_request(
        clean, labels, norm=norm, epsilon=epsilon, batch_size=None, budget=None,
        indices=range(len(clean)), targets=None,
    )  # fmt: skip
    if adversarial is not None and (adversarial.shape != clean.shape or not adversarial.is_floating_point()):
        raise SipError(
            f"The adversarial images are {tuple(adversarial.shape)} {adversarial.dtype} and the originals "
            f"{tuple(clean.shape)}: give the images that belong together, as floats."
        )
    return request


def judge_file(
    model: nn.Module,
    path: Path | str,
    images: Tensor,
    labels: Tensor,
    *,
    norm: Norm,
    epsilon: float | Tensor,
    indices: Sequence[int] | None = None,
    micro_batch: int = 64,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Judge the adversarial images in a file: `read_adversarial`, then `judge_images`, as a job.

    ``images``, ``labels`` and ``indices`` are the originals and their ids, 0 … N − 1 if None.

    Yields
    ------
    Event or None
        Started, Notice where the file's own classes differ, Progress,
        ``Artefact("foreign-verdict", path, ForeignVerdict)``, Finished.

    Raises
    ------
    SipError
        The file cannot be read so, or holds other images than the originals.
    """
    path = Path(path)
    checked_pair(images, None, labels, norm=norm, epsilon=epsilon)
    yield Started(f"Adversarial images in {path.name}", 2 * len(images))
    ids = range(len(images)) if indices is None else indices
    channels, height, width = images.shape[1:]
    found = read_adversarial(path, shape=(channels, height, width), indices=ids)
    yield None
    if found.labels is not None:
        differing = int((torch.from_numpy(found.labels) != labels.cpu()).sum())
        if differing:
            yield Notice(
                f"{differing} of {len(images)} classes in {path.name} are not those of the originals: see "
                "that the images are in the same order."
            )
    steps = judge_images(
        model,
        images,
        torch.from_numpy(found.images),
        labels,
        norm=norm,
        epsilon=epsilon,
        micro_batch=micro_batch,
        token=token,
    )
    verdict = yield from counted(steps, 0, 2 * len(images), f"judging {path.name}")
    yield Artefact("foreign-verdict", str(path), verdict)
    yield Finished("completed", {"success": verdict.share, "sentence": verdict.sentence})


def answers(
    quiet: QuietModel,
    request: Request,
    images: Tensor,
    micro_batch: int,
    token: CancelToken | None,
    *,
    draws: int = 1,
    after: int = 0,
) -> Generator[int, None, Tensor]:
    """Return the judging model's logits for ``images`` in place of the request's: (N, K) float32, CPU.

    Asked at the one batch shape ``micro_batch``, as the attacks do, and averaged over ``draws``; yields
    ``after`` plus the number of images answered. SipError where an answer is not finite.
    """
    parts = []
    there = replace(request, images=images)
    for batch in there.micro_batches(micro_batch, quiet.device, mean=False, literal=False):
        if token is not None:
            token.check()
        loss = loss_of("margin", batch.labels, None)
        parts.append(quiet.ask(batch.images, loss, draws=draws, judge=True).logits[: batch.count].cpu())
        quiet.require_finite()
        yield after + int(batch.rows[-1]) + 1
    return torch.cat(parts)


def counted(
    steps: Generator[int, None, Found], before: int, total: int, text: str
) -> Generator[Progress, None, Found]:
    """Drain ``steps``, which yield how many units they have done, as Progress; return their result."""
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            found: Found = end.value
            return found
        yield Progress(before + done, total, text)


def _distance(clean: Tensor, given: Tensor, norm: Norm) -> Tensor:
    # In float64 on the CPU, which every machine has: the bound is checked to 1e-6.
    moved = given.cpu().double().sub_(clean.cpu()).flatten(1)
    return moved.abs().amax(1) if norm == "linf" else moved.norm(dim=1)
