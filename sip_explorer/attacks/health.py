"""A report on whether a model can be attacked honestly, for a person to read before believing a figure."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sip_explorer.attacks.authors import SteppedModel, relayed
from sip_explorer.attacks.ensemble import NORMS, authors_package, require_squares
from sip_explorer.attacks.health_reading import Finding, HealthFinding, Subject
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.request import Norm, checked_request
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started

__all__ = ["HealthFinding", "HealthReport", "health_report"]

FEW_STEPS, MANY_STEPS = 10, 50
QUERIES = 500


@dataclass(frozen=True)
class HealthReport:
    """What was found on so many images."""

    findings: tuple[HealthFinding, ...]
    images: int

    @property
    def passed(self) -> bool:
        """Whether nothing was found that makes attacks on this model unreliable."""
        return all(finding.passed for finding in self.findings)


def health_report(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    norm: Norm = "linf",
    epsilon: float,
    seed: int = 0,
    micro_batch: int = 64,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Look for what makes attacks on ``model`` look weaker than they should be.

    Finite outputs that are scores; the same outputs twice and in any company; gradients under log-odds
    and cross-entropy; more steps of PGD not weaker; all broken at an epsilon of 1 (in L2 half the
    diagonal of the unit cube); and PGD not beaten by the Square attack, which sees no gradient (the
    signs of Athalye et al., 2018, and Carlini et al., 2019). The model is read in eval mode, whatever
    mode it is in, and left as it was.

    Parameters
    ----------
    model
        Logits (N, K) from images in [0, 1].
    images
        (N, C, H, W) float in [0, 1]; some fifty are enough.
    labels
        (N,) int64.
    norm, epsilon
        The ball for PGD and Square.
    seed
        Of all random numbers.
    micro_batch
        The one batch shape that the model sees.
    token
        ``cancel`` raises Cancelled before the next reading of the model.

    Yields
    ------
    Event or None
        Started, Progress per examination, None per step, Notice where one cannot be made,
        ``Artefact("health", data=HealthReport)``, Finished.

    Raises
    ------
    SipError
        An argument cannot be meant so.
    """
    request = checked_request(
        images, labels, norm=norm, epsilon=epsilon, batch_size=None, budget=None, indices=None, targets=None
    )
    subject = Subject(model, request, size=micro_batch, seed=seed, token=token)
    attacks = _Attacks(subject, norm, epsilon, seed)
    batches = math.ceil(len(images) / micro_batch)
    total = batches * (2 * FEW_STEPS + 4 * MANY_STEPS + QUERIES)
    findings: list[HealthFinding] = []
    yield Started(f"Health report on {len(images)} images", total)

    findings.append((yield from subject.finite()))
    if findings[0].passed:
        findings.append(subject.scores())
        repeatable = yield from subject.repeatable()
        findings.append(repeatable)
        if repeatable.passed:
            findings.append((yield from subject.independent()))
        findings += yield from subject.gradients()
        if subject.climbable:
            yield Progress(0, total, f"PGD with {FEW_STEPS} and {MANY_STEPS} steps")
            findings.append((yield from attacks.more_steps()))
            yield Progress(batches * 2 * (FEW_STEPS + MANY_STEPS), total, "PGD in the largest ball")
            findings.append((yield from attacks.largest_ball()))
        else:
            yield Notice("PGD was not tried, because no gradient that it could climb reaches the images.")
        yield Progress(total - batches * QUERIES, total, "Square, without gradients")
        try:
            findings.append((yield from attacks.black_box()))
        except SipError as error:
            yield Notice(f"Square was not tried: {error}")

    report = HealthReport(tuple(findings), len(images))
    yield Progress(total, total)
    yield Artefact("health", data=report)
    yield Finished("completed", {"passed": report.passed})


class _Attacks:
    """What shows when the model is attacked."""

    def __init__(self, subject: Subject, norm: Norm, epsilon: float, seed: int) -> None:
        self._subject, self._norm, self._epsilon, self._seed = subject, norm, epsilon, seed
        self._pgd = PGD(
            norm=norm,
            step="sign" if norm == "linf" else "normalised",
            seed=seed,
            micro_batch=subject.size,
        )
        self._broken = torch.zeros(subject.count, dtype=torch.bool, device=subject.request.images.device)

    def more_steps(self) -> Finding:
        """Attack with few and with many steps."""
        few = yield from self._broken_by(FEW_STEPS, self._epsilon)
        many = yield from self._broken_by(MANY_STEPS, self._epsilon)
        self._broken = few | many
        lost = int(few.sum()) - int(many.sum())
        stand = int((~few).sum()), int((~many).sum())
        return HealthFinding.of(
            "more steps are stronger",
            lost <= self._chance,
            f"{stand[0]} images stand after {FEW_STEPS} steps, {stand[1]} after {MANY_STEPS}",
            good="More steps of PGD break as many images or more.",
            bad=f"PGD breaks {lost} fewer images with {MANY_STEPS} steps than with {FEW_STEPS}: small steps "
            "get caught, so gradients mislead; try restarts, larger steps and an attack without gradients.",
        )

    def largest_ball(self) -> Finding:
        """Attack where almost any image may become any other."""
        largest = 1.0 if self._norm == "linf" else math.sqrt(self._subject.request.images[0].numel()) / 2
        left = int((~(yield from self._broken_by(MANY_STEPS, largest))).sum())
        return HealthFinding.of(
            f"breaks at ε = {largest:.3g}",
            left <= self._chance,
            f"{left} of {self._subject.count} images stand",
            good="Allowed to change images almost as it likes, PGD breaks them.",
            bad=f"Allowed to change images almost as it likes (ε = {largest:.3g}), PGD leaves {left} of them "
            "standing: it does not find what is there, so no figure of it can be believed; look for what "
            "hides the gradient.",
        )

    def black_box(self) -> Finding:
        """Let Square try what PGD left."""
        request = self._subject.request
        require_squares(self._norm, request.images)
        model = SteppedModel(self._subject.quiet)
        square = authors_package().square.SquareAttack(
            model,
            norm=NORMS[self._norm],
            eps=self._epsilon,
            n_queries=QUERIES,
            seed=self._seed,
            device=self._subject.quiet.device,
            resc_schedule=False,
        )
        standing = (self._subject.correct & ~self._broken).nonzero()[:, 0]
        found = 0
        for rows in torch.split(standing, self._subject.size) if len(standing) else ():
            images = request.images[rows].contiguous().to(self._subject.quiet.device)
            labels = request.labels[rows].to(self._subject.quiet.device)

            def attacked(images: Tensor = images, labels: Tensor = labels) -> int:
                with torch.no_grad():
                    made = square.perturb(images.clone(), labels.clone())
                    return int((model(made).argmax(1) != labels).sum())

            steps = model.run(attacked, self._subject.token)
            found += yield from relayed(steps, _breath)
        return HealthFinding.of(
            "gradients beat no gradients",
            found <= self._chance,
            f"Square breaks {found} of {len(standing)} that PGD left",
            good="An attack without gradients finds next to nothing that PGD did not.",
            bad=f"Square, which sees no gradient, breaks {found} images that PGD leaves standing: the "
            "gradient leads astray (masking), so believe Square and look for what hides the gradient.",
        )

    @property
    def _chance(self) -> int:
        """How many images may differ: one, or 2 % of those that the model gets right."""
        return max(1, int(self._subject.correct.sum()) // 50)

    def _broken_by(self, steps: int, epsilon: float) -> Generator[None, None, Tensor]:
        """Return which images are wrong after PGD on log-odds: (N,) bool."""
        subject, attack = self._subject, replace(self._pgd, steps=steps)
        states = attack.iterate(
            subject.model,
            subject.request.images,
            subject.request.labels,
            epsilon=epsilon,
            token=subject.token,
        )
        result = yield from relayed(states, _breath)
        return result.success


def _breath(step: object) -> None:
    """Say nothing of a step but that it is done."""
