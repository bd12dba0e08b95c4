"""Which prototype an image belongs to, in numbers and in a sentence; and what happens without some."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from sip_explorer.protoflow.code import Code
from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.records import SipError


def prototype_name(flow: ProtoFlow, label: int, component: int) -> str:
    """Return "Sneaker 2": people count a class's prototypes from 1."""
    return f"{flow.classes[label]} {component + 1}"


@torch.no_grad()
def responsibilities(flow: ProtoFlow, z: Tensor) -> Tensor:
    """Return p(c, k|x) under equal class priors, (N, classes, components); each image's sum to 1.

    Parameters
    ----------
    z : latents (N, C, H, W), as `Code.z`. The log-determinant is the same for all and is not needed.
    """
    joint = flow.component_log_likelihood(z)
    _something_left(flow)
    return torch.softmax(joint.flatten(1), 1).reshape(joint.shape)


@torch.no_grad()
def class_posterior(flow: ProtoFlow, z: Tensor) -> Tensor:
    """Return p(c|x) under equal class priors, (N, classes)."""
    return responsibilities(flow, z).sum(2)


@dataclass(frozen=True)
class Explanation:
    """Why an image is classified as it is.

    Attributes
    ----------
    label, component : the predicted class and, of its prototypes, the one most responsible; from 0.
    share : that prototype's responsibility within its class, in [0, 1].
    probability : p(c|x) of the predicted class under equal priors, in [0, 1].
    nats_ahead : log p(x|c) minus that of the next class, nats, at least 0; infinite where no other class
        has a prototype left.
    next_label, next_component : the class that comes next and its most responsible prototype.
    sentence : the same for a person.
    """

    label: int
    component: int
    share: float
    probability: float
    nats_ahead: float
    next_label: int
    next_component: int
    sentence: str


@torch.no_grad()
def explain(flow: ProtoFlow, code: Code) -> Explanation:
    """Return why the one image behind ``code`` is classified as it is."""
    if len(code) != 1:
        raise SipError(f"An explanation is of one image, not {len(code)}; choose one.")
    if len(flow.classes) < 2:
        raise SipError("This flow has one class, so there is no decision to explain; choose another flow.")
    _something_left(flow)
    joint = flow.component_log_likelihood(code.z)[0]
    scores = torch.logsumexp(joint, 1)
    label, following = torch.topk(scores, 2).indices.tolist()
    component, next_component = int(joint[label].argmax()), int(joint[following].argmax())
    share = float(torch.softmax(joint[label], 0)[component])
    ahead = float(scores[label] - scores[following])
    name = prototype_name(flow, label, component)
    if math.isinf(ahead):
        sentence = f"Only {flow.classes[label]} has prototypes left; {name} is the nearest of them."
    else:
        sentence = (
            f"{ahead:.1f} nats nearer to {name} than to the next class, "
            f"{flow.classes[following]} (its prototype {next_component + 1})."
        )
    if share < 0.9:
        sentence += f" {name} carries {100 * share:.0f} % of its class's likelihood."
    probability = float(torch.softmax(scores, 0)[label])
    return Explanation(label, component, share, probability, ahead, following, next_component, sentence)


@contextmanager
def switched_off(flow: ProtoFlow, off: Iterable[tuple[int, int]]) -> Iterator[ProtoFlow]:
    """Switch prototypes (class, component) off inside the block; afterwards all is as before.

    The other prototypes of a class share its weight; a class without any is never predicted.
    """
    chosen = sorted(set(off))
    grid = tuple(flow.mixture.active.shape)
    for label, component in chosen:
        if not (0 <= label < grid[0] and 0 <= component < grid[1]):
            raise SipError(
                f"There is no prototype {component + 1} of class {label + 1}; the flow has "
                f"{grid[0]} classes of {grid[1]}."
            )
    before = flow.mixture.active.clone()
    try:
        for label, component in chosen:
            flow.mixture.active[label, component] = False
        _something_left(flow)
        yield flow
    finally:
        flow.mixture.active.copy_(before)


@dataclass(frozen=True)
class Effect:
    """What switching prototypes off does to a set of images.

    ``predicted_before`` and ``predicted_after`` are int64 (N,), ``changed`` bool (N,), the accuracies
    shares in [0, 1] of the N ``images``.
    """

    images: int
    accuracy_before: float
    accuracy_after: float
    predicted_before: Tensor
    predicted_after: Tensor
    changed: Tensor

    @property
    def sentence(self) -> str:
        """The effect for a person."""
        return (
            f"Accuracy {100 * self.accuracy_before:.1f} % → {100 * self.accuracy_after:.1f} %; "
            f"{int(self.changed.sum())} of {self.images} predictions change."
        )


@torch.no_grad()
def effect(flow: ProtoFlow, images: Tensor | Code, labels: Tensor, off: Iterable[tuple[int, int]]) -> Effect:
    """Return accuracy and predictions with and without the prototypes ``off``.

    Parameters
    ----------
    images : float NCHW in [0, 1], or their `Code`: encoded once, a switch answers at once.
    labels : int64 (N,).
    off : (class, component), from 0, switched off on top of those that are off already.
    """
    z = images.z if isinstance(images, Code) else flow.encode(images).z
    if not len(z) or len(z) != len(labels):
        raise SipError(f"There are {len(z)} images and {len(labels)} labels; give a label for each image.")
    before = flow.class_log_likelihood(z).argmax(1).cpu()
    with switched_off(flow, off):
        after = flow.class_log_likelihood(z).argmax(1).cpu()
    truth = labels.cpu()
    return Effect(
        len(z),
        float((before == truth).double().mean()),
        float((after == truth).double().mean()),
        before,
        after,
        before != after,
    )


def _something_left(flow: ProtoFlow) -> None:
    if not bool(flow.mixture.active.any()):
        raise SipError("Every prototype is switched off; switch one on again.")
