"""What an attack climbs: one value per image, on float32 logits, larger is worse for the model."""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from sip_explorer.records import SipError

LossName = Literal["ce", "log-odds", "margin", "dlr", "rescaled-ce", "mifpe"]

_SMALLEST_SCALE = 1e-6  # floor of the divisors of rescaled-ce and mifpe
_DLR_GUARD = 1e-12


def attack_loss(name: LossName, logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Tensor:
    """Return the loss of every image, not reduced.

    Parameters
    ----------
    name
        ``ce`` cross-entropy; ``log-odds`` ``-log(p_y / (1 - p_y))``, which never saturates;
        ``margin`` of Carlini and Wagner (2017) without kappa; ``dlr`` of Croce and Hein (2020);
        ``rescaled-ce`` cross-entropy of logits scaled to a range of 10; ``mifpe`` cross-entropy of
        logits scaled to a top margin of 1 (Yu and Xu, 2023).
    logits
        (N, K), float32.
    labels
        (N,), int64 in [0, K).
    targets
        (N,), int64 in [0, K), for a targeted attack: the negated loss of the target, and for ``dlr``
        the targeted form of Croce and Hein (2020, eq. 7).

    Returns
    -------
    Tensor
        (N,), float32.

    Raises
    ------
    SipError
        The model has too few classes for the loss.
    """
    if name == "dlr":
        return _dlr(logits, labels) if targets is None else _targeted_dlr(logits, labels, targets)
    loss = _PLAIN[name]
    return loss(logits, labels) if targets is None else -loss(logits, targets)


def loss_names() -> tuple[LossName, ...]:
    """Return the names of all losses, the default first."""
    return ("log-odds", "ce", "margin", "dlr", "rescaled-ce", "mifpe")


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="none")


def _log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    return _others(logits, labels).logsumexp(1) - _of(logits, labels)


def _margin(logits: Tensor, labels: Tensor) -> Tensor:
    return _others(logits, labels).max(1).values - _of(logits, labels)


def _dlr(logits: Tensor, labels: Tensor) -> Tensor:
    _need_classes(logits, 3, "dlr")
    top = logits.topk(3, 1).values
    return _margin(logits, labels) / (top[:, 0] - top[:, 2] + _DLR_GUARD)


def _targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    _need_classes(logits, 4, "targeted dlr")
    top = logits.topk(4, 1).values
    scale = top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + _DLR_GUARD
    return (_of(logits, targets) - _of(logits, labels)) / scale


def _rescaled_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    spread = logits.detach().amax(1) - logits.detach().amin(1)
    return _cross_entropy(10 * logits / spread.clamp(min=_SMALLEST_SCALE)[:, None], labels)


def _minimal_impact_of_precision(logits: Tensor, labels: Tensor) -> Tensor:
    top = logits.detach().topk(2, 1).values
    gap = (top[:, 0] - top[:, 1]).clamp(min=_SMALLEST_SCALE)
    return _cross_entropy(logits / gap[:, None], labels)


_PLAIN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "ce": _cross_entropy,
    "log-odds": _log_odds,
    "margin": _margin,
    "rescaled-ce": _rescaled_cross_entropy,
    "mifpe": _minimal_impact_of_precision,
}


def _of(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.gather(1, labels[:, None])[:, 0]


def _others(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.scatter(1, labels[:, None], -torch.inf)


def _need_classes(logits: Tensor, needed: int, loss: str) -> None:
    if logits.shape[1] < needed:
        raise SipError(
            f"The loss {loss} compares the {needed} largest outputs and this model has "
            f"{logits.shape[1]} classes: choose log-odds instead."
        )
