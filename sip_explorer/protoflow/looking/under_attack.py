"""A ProtoFlow under attack: the classifier that PGD climbs, and the prototypes that images drift to.

Flow classifiers are known to be fragile (Fetaya et al. 2020, arXiv 1906.01171); this shows how much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from sip_explorer.attacks import PGD
from sip_explorer.attacks.rounding import rounded_toward
from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.protoflow.looking.belonging import prototype_name
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started
from sip_explorer.records.epsilon import format_epsilon, in_255ths

ScorePath = Literal["latent", "image"]


class FlowClassifier(nn.Module):
    """Class scores of a flow for attacks: differentiable in the image, noise fixed, nothing rounded.

    The way is that of Carmichael et al. 2024 with v = (255·x + u)/256: an attack of radius ε moves v by
    255/256·ε.

    Parameters
    ----------
    flow : in eval mode.
    path : "latent": log p(z|c), nothing of the log-determinant is computed back through; "image":
        log p(x|c) with it. They differ by the same number for every class, so cross-entropy and margins
        have the same gradients.
    draws : scores are means over the noise of seeds 0 … draws − 1.
    """

    def __init__(self, flow: ProtoFlow, path: ScorePath = "latent", draws: int = 1) -> None:
        super().__init__()
        if path not in ("latent", "image"):
            raise SipError(f"The path is {path!r}; choose latent or image.")
        if draws < 1:
            raise SipError(f"Scores over {draws} draws of noise are none; ask for at least 1.")
        self.flow, self.path, self.draws = flow, path, draws
        self.classes, self.input_shape = flow.classes, flow.input_shape

    def forward(self, images: Tensor) -> Tensor:
        """Return scores in nats, (N, classes), of images float NCHW in [0, 1]."""
        parts = [self._scores(images, seed) for seed in range(self.draws)]
        return parts[0] if len(parts) == 1 else torch.stack(parts).mean(0)

    def _scores(self, images: Tensor, seed: int) -> Tensor:
        if self.path == "image":
            code = self.flow.encode(images, seed, quantised=False)
            assert code.log_det is not None
            return code.log_det[:, None] + self._classes(code.z)
        u = self.flow.draw_noise(images, seed)
        eta = self.flow.backbone.draw_eta(len(images), seed)
        return self._classes(self.flow.transform(self.flow.dequantise(images, u), eta).z)

    def _classes(self, z: Tensor) -> Tensor:
        alive = self.flow.mixture.active.any(1)
        if bool(alive.all()):
            return self.flow.class_log_likelihood(z)
        # A class without prototypes has the score −inf, of which no gradient is a number.
        joint = self.flow.component_log_likelihood(z)[:, alive]
        scores = joint.new_full((len(z), len(alive)), -1e9)
        scores[:, alive] = torch.logsumexp(joint, 2)
        return scores


@dataclass(frozen=True, eq=False)
class DriftStep:
    """Images at one epsilon, as 8-bit pictures, and what the flow makes of them.

    Attributes
    ----------
    epsilon : radius in units of [0, 1]; 0 is the clean images.
    images : float32 (N, C, H, W), levels of 255, within the ball.
    predicted : int64 (N,).
    component : int64 (N,), the most responsible prototype of the predicted class.
    log_likelihood : float32 (N,), log p(x) in nats under equal class priors.
    log_likelihood_of_label : float32 (N,), log p(x|label) in nats.
    success : bool (N,), not predicted as labelled.
    """

    epsilon: float
    images: Tensor
    predicted: Tensor
    component: Tensor
    log_likelihood: Tensor
    log_likelihood_of_label: Tensor
    success: Tensor


@dataclass(frozen=True, eq=False)
class Drift:
    """What becomes of N images along epsilon; ``steps`` ascend, the clean images first."""

    labels: Tensor
    steps: tuple[DriftStep, ...]

    @property
    def epsilons(self) -> tuple[float, ...]:
        """The radii, 0 first."""
        return tuple(step.epsilon for step in self.steps)

    @property
    def prototypes(self) -> Tensor:
        """(class, component) of every image at every epsilon, int64 (N, steps, 2)."""
        return torch.stack([torch.stack((step.predicted, step.component), 1) for step in self.steps], 1)

    def destinations(self, row: int = -1) -> list[tuple[tuple[int, int], int]]:
        """Return where attacked images end at step ``row``: ((class, component), how many), most first.

        Only images that were classified right without the attack and wrong under it.
        """
        step = self.steps[row]
        broken = step.success & ~self.steps[0].success
        pairs = torch.stack((step.predicted, step.component), 1)[broken]
        found, counts = torch.unique(pairs, dim=0, return_counts=True)
        order = torch.argsort(-counts, stable=True)
        return [((int(found[i, 0]), int(found[i, 1])), int(counts[i])) for i in order]

    def sentence(self, flow: ProtoFlow, row: int = -1) -> str:
        """Return what the attack at step ``row`` did, for a person."""
        step, clean = self.steps[row], self.steps[0]
        right = int((~clean.success).sum())
        broken = int((step.success & ~clean.success).sum())
        change = float((step.log_likelihood - clean.log_likelihood).double().mean())
        words = (
            f"At ε {format_epsilon(step.epsilon)}, {broken} of {right} images that were right are "
            f"misclassified; log p(x) changes by {change:+,.1f} nats on average"
        ).replace("-", "−")
        ends = self.destinations(row)
        if ends:
            (label, component), count = ends[0]
            words += f"; most often ({count}) they drift to {prototype_name(flow, label, component)}"
        return words + "."


def drift(
    flow: ProtoFlow,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    *,
    attack: PGD | None = None,
    path: ScorePath = "latent",
    draws: int = 1,
    indices: Sequence[int] | None = None,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Attack images with PGD at each epsilon and look where they go, as a job.

    The adversarial images are rounded to 8 bits toward their originals before they are judged: what
    counts is what a file can hold.

    Parameters
    ----------
    images, labels : float (N, C, H, W) in [0, 1], rounded to 8 bits first, and int64 (N,).
    epsilons : radii in units of [0, 1], above 0.
    attack : settings; its epsilon is replaced. None: PGD, L-inf, 10 steps on the log-odds.
    path, draws : of the `FlowClassifier` that is attacked and judges.
    indices : image ids for the random starts.
    token : looked at before each step; ``stop`` keeps the epsilons that are done.

    Yields
    ------
    Started, Progress, None per step, ``Artefact("drift-step", data=DriftStep)`` per epsilon,
    ``Artefact("drift", data=Drift)``, Finished.
    """
    token = token or CancelToken()
    attack = attack or PGD(micro_batch=32)
    radii = sorted(set(float(epsilon) for epsilon in epsilons) - {0.0})
    if not len(images):
        raise SipError("There are no images to attack; choose at least one.")
    if len(flow.classes) < 2:
        raise SipError("This flow has one class, so there is no decision to attack; choose another flow.")
    if len(images) != len(labels):
        raise SipError(
            f"There are {len(images)} images and {len(labels)} labels; give a label for each image."
        )
    if int(labels.min()) < 0 or int(labels.max()) >= len(flow.classes):
        raise SipError(
            f"A label is not among the flow's {len(flow.classes)} classes; choose images of these classes."
        )
    ids = torch.arange(len(images)) if indices is None else torch.as_tensor(list(indices), dtype=torch.int64)
    classifier = FlowClassifier(flow, path, draws).eval()
    size = attack.micro_batch
    clean = ((images * 255).round() / 255).float()
    chunks = [slice(start, start + size) for start in range(0, len(images), size)]
    total = (1 + len(radii)) * len(images)
    yield Started(f"Attacking {len(images)} images", total)
    steps: list[DriftStep] = []
    done = 0
    for epsilon in (0.0, *radii):
        if token.stopping and steps:
            break
        parts = []
        for rows in chunks:
            token.check()
            made = clean[rows]
            if epsilon:
                states = replace(attack, epsilon=epsilon).iterate(
                    classifier, made, labels[rows], indices=ids[rows], token=token
                )
                while True:
                    try:
                        next(states)
                    except StopIteration as end:
                        made = rounded_toward(made, end.value.images).float() / 255
                        break
                    yield None
            parts.append(_judged(classifier, epsilon, made, labels[rows]))
            done += len(made)
            yield Progress(done, total, f"ε {in_255ths(epsilon)}")
        steps.append(_joined(parts))
        yield Artefact("drift-step", data=steps[-1])
    found = Drift(labels.cpu(), tuple(steps))
    yield Artefact("drift", data=found)
    yield Finished(
        "completed" if len(steps) == 1 + len(radii) else "stopped",
        {f"success at {in_255ths(step.epsilon)}": float(step.success.double().mean()) for step in steps},
    )


@torch.no_grad()
def _judged(classifier: FlowClassifier, epsilon: float, images: Tensor, labels: Tensor) -> DriftStep:
    flow = classifier.flow
    code = flow.encode(images)
    scores = flow.log_likelihood_of(code)
    joint = flow.component_log_likelihood(code.z)
    predicted = classifier(images.to(joint.device)).argmax(1)
    rows = torch.arange(len(images), device=joint.device)
    truth = labels.to(joint.device)
    return DriftStep(
        epsilon,
        images.cpu(),
        predicted.cpu(),
        joint[rows, predicted].argmax(1).cpu(),
        scores.total.float().cpu(),
        scores.per_class[rows, truth].float().cpu(),
        (predicted != truth).cpu(),
    )


def _joined(parts: Sequence[DriftStep]) -> DriftStep:
    names = ("images", "predicted", "component", "log_likelihood", "log_likelihood_of_label", "success")
    return DriftStep(
        parts[0].epsilon, *(torch.cat([getattr(part, name) for part in parts]) for name in names)
    )
