"""Whether a model is in a state in which figures about it mean something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sip_explorer.models.classifier import Classifier

_TOLERANCE = 1e-4
"""How far an image's logits may move with its neighbours, as a share of their spread: rounding of other
kernels for other batch sizes."""

_SATURATED = 0.01


@dataclass(frozen=True)
class Finding:
    """One check: its name, whether it passed, and a sentence with its number and, if not, what to do."""

    name: str
    passed: bool
    sentence: str


def sanity(model: Classifier, images: Tensor, labels: Tensor | None = None) -> Iterator[Finding]:
    """Check a classifier, one finding after the other; the model is left as it was found.

    Parameters
    ----------
    model : Classifier
        In the mode in which it is used.
    images : Tensor (N, C, H, W) in [0, 1], N >= 2
        On the model's device.
    labels : Tensor (N,) int64, optional
        Their classes among the model's, where they are known.
    """
    checks: tuple[Callable[[Classifier, Tensor, Tensor | None], Finding], ...] = (
        _eval_mode,
        _finite,
        _named,
        _deterministic,
        _batch_independent,
        _gradient,
        _range,
    )
    grads = [parameter.requires_grad for parameter in model.parameters()]
    try:
        model.requires_grad_(False)
        for check in checks:
            yield check(model, images, labels)
    finally:
        for parameter, grad in zip(model.parameters(), grads, strict=True):
            parameter.requires_grad_(grad)


def _eval_mode(model: Classifier, images: Tensor, labels: Tensor | None) -> Finding:
    training = [name for name, module in model.named_modules() if module.training]
    if training:
        return Finding(
            "evaluation mode",
            False,
            f"{len(training)} of its layers are in training mode ({training[0] or 'the whole model'} first), "
            "so batch statistics and dropout change the answers: call eval() before it is exported.",
        )
    if "training" in model.origin.get("mode", ""):
        return Finding(
            "evaluation mode",
            False,
            "The program was exported in training mode, which cannot be changed any more: export it after "
            "calling eval().",
        )
    norms = sum(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())
    drops = sum(isinstance(m, nn.modules.dropout._DropoutNd) for m in model.modules())
    return Finding(
        "evaluation mode",
        True,
        f"All layers are in evaluation mode, {norms} of batch normalisation and {drops} of dropout.",
    )


def _finite(model: Classifier, images: Tensor, labels: Tensor | None) -> Finding:
    logits = _ask(model, images)
    bad = int((~logits.isfinite()).any(1).sum())
    if bad:
        return Finding(
            "finite",
            False,
            f"The logits of {bad} of {len(images)} images are not finite: choose a checkpoint from before "
            "its training diverged.",
        )
    return Finding(
        "finite",
        True,
        f"The logits of {len(images)} images are finite, from {float(logits.min()):.3g} to "
        f"{float(logits.max()):.3g}.",
    )


def _named(model: Classifier, images: Tensor, labels: Tensor | None) -> Finding:
    count, names = _ask(model, images).shape[1], len(model.classes)
    if count != names:
        return Finding(
            "a name per logit",
            False,
            f"The model has {count} logits and {names} class names: name as many classes as it has logits.",
        )
    return Finding("a name per logit", True, f"The model has {count} logits and as many class names.")


def _deterministic(model: Classifier, images: Tensor, labels: Tensor | None) -> Finding:
    first, second = _ask(model, images), _ask(model, images)
    if torch.equal(first, second):
        return Finding("deterministic", True, f"Two passes over {len(images)} images are equal bit for bit.")
    moved = float((first - second).abs().max())
    return Finding(
        "deterministic",
        False,
        f"Two passes over the same images differ by up to {moved:.3g}: the model draws random numbers, so "
        "attack it with several draws (EOT), or switch its randomness off.",
    )


def _batch_independent(model: Classifier, images: Tensor, labels: Tensor | None) -> Finding:
    together = _ask(model, images)
    alone = torch.cat([_ask(model, images[row : row + 1]) for row in range(min(4, len(images)))])
    # Beside copies of one other image, as a last batch is filled up.
    padded = _ask(model, torch.cat([images[:1], images[-1:].expand(len(images) - 1, -1, -1, -1)]))[:1]
    spread = float(together.std(correction=0)) or 1.0
    moved = max(
        float((alone - together[: len(alone)]).abs().max()), float((padded - together[:1]).abs().max())
    )
    share = moved / spread
    if share <= _TOLERANCE:
        return Finding(
            "independent of the batch",
            True,
            f"An image's logits move by at most {share:.1e} of their spread with the images beside it.",
        )
    return Finding(
        "independent of the batch",
        False,
        f"An image's logits move by {share:.1e} of their spread with the images beside it: the model uses "
        "batch statistics; put it into evaluation mode before it is saved or exported.",
    )


def _gradient(model: Classifier, images: Tensor, labels: Tensor | None) -> Finding:
    with torch.inference_mode(False), torch.enable_grad():
        point = images.clone().requires_grad_()
        logits = model(point)
        if not logits.requires_grad:
            return Finding(
                "gradient",
                False,
                "The logits carry no gradient to the image (a comparison, an argmax or a detach cuts it "
                "off): gradient attacks say nothing about this model.",
            )
        best = logits.topk(2, dim=1).values
        # The margin: cross-entropy's gradient vanishes where a model is very sure.
        (gradient,) = torch.autograd.grad((best[:, 0] - best[:, 1]).sum(), point)
    norms = gradient.flatten(1).norm(dim=1)
    flat = int((~(norms > 0) | ~norms.isfinite()).sum())
    if flat:
        return Finding(
            "gradient",
            False,
            f"At {flat} of {len(images)} images the gradient of the margin is zero or not finite: gradient "
            "attacks cannot climb there; look for a rounding or a saturated layer.",
        )
    return Finding(
        "gradient",
        True,
        f"The gradient of the margin is above zero at all {len(images)} images (median norm "
        f"{float(norms.median()):.3g}).",
    )


def _range(model: Classifier, images: Tensor, labels: Tensor | None) -> Finding:
    """Whether [0, 1] is the range of the model, seen against the same images at 0 to 255."""
    low, high = float(images.min()), float(images.max())
    inside, raw = _ask(model, images), _ask(model, images * 255)
    if labels is not None and len(labels) >= 20:
        right = [int((logits.argmax(1) == labels).sum()) for logits in (inside, raw)]
        worse = right[1] - right[0] > 2 * len(labels) ** 0.5
        words = f"right are {right[0]} of {len(labels)} images in [0, 1] and {right[1]} at 0 to 255"
    else:
        # Without labels: an input that is far too small leaves the same answer for every image.
        varied = [float(logits.softmax(1).std(0, correction=0).max()) for logits in (inside, raw)]
        worse = varied[0] < _SATURATED < varied[1]
        words = f"the answers vary by {varied[0]:.3f} in [0, 1] and by {varied[1]:.3f} at 0 to 255"
    if worse:
        return Finding(
            "takes [0, 1]",
            False,
            f"The model seems made for pixels from 0 to 255 ({words}): choose that normalisation.",
        )
    return Finding("takes [0, 1]", True, f"Images from {low:.2g} to {high:.2g} suit the model: {words}.")


def _ask(model: Classifier, images: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(images)
    return logits
