"""How well a likelihood tells foreign images from one's own."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from sip_explorer.records import SipError

_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, eq=False)
class Detector:
    """The receiver operating characteristic of "suspicious where log p(x) is low".

    Attributes
    ----------
    false_alarms, detected : float64 (M,), shares in [0, 1] of the own and of the foreign images whose
        log-likelihood is at or under ``thresholds``; both go from 0 to 1.
    thresholds : float64 (M,), nats, ascending; −inf first.
    auroc : the area, in [0, 1]: how often a foreign image is less likely than one's own, ties half.
    low, high : its 95 % interval, for two independent sets of images: method 5 of Newcombe 2006
        (doi:10.1002/sim.2324), wide where images are few, also at an area of 0 or 1.
    own, foreign : how many images.
    """

    false_alarms: NDArray[np.float64]
    detected: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    auroc: float
    low: float
    high: float
    own: int
    foreign: int

    def at(self, false_alarms: float = 0.05) -> float:
        """Return the share of foreign images detected at that share of false alarms at most."""
        return float(self.detected[self.false_alarms <= false_alarms].max())

    @property
    def sentence(self) -> str:
        """The detector for a person."""
        return (
            f"AUROC {self.auroc:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}; {self.foreign:,} "
            f"foreign against {self.own:,} own images): at 5 % false alarms a low log-likelihood gives away "
            f"{100 * self.at():.0f} %."
        )


def detector(own: ArrayLike | torch.Tensor, foreign: ArrayLike | torch.Tensor) -> Detector:
    """Return how well low log-likelihoods give ``foreign`` images away.

    Parameters
    ----------
    own, foreign : log p(x) in nats, (N,) and (M,): clean and adversarial images, or the test images of
        training's data set and those of another.
    """
    clean, other = _values(own, "own"), _values(foreign, "foreign")
    levels = np.unique(np.concatenate((clean, other)))
    alarms = np.searchsorted(np.sort(clean), levels, side="right") / len(clean)
    detected = np.searchsorted(np.sort(other), levels, side="right") / len(other)
    alarms, detected = np.concatenate(([0.0], alarms)), np.concatenate(([0.0], detected))
    # Trapezoids: a slope where values are tied, so that each tie counts half.
    area = float((np.diff(alarms) * (detected[1:] + detected[:-1]) / 2).sum())
    return Detector(
        alarms,
        detected,
        np.concatenate(([-np.inf], levels)),
        area,
        _lower(area, len(clean), len(other)),
        1 - _lower(1 - area, len(clean), len(other)),  # the variance is the same at 1 - area
        len(clean),
        len(other),
    )


def paradox(found: Detector, other: str) -> str:
    """Return in one sentence what a likelihood says of another data set, and what it cannot."""
    if found.high < 0.5:
        outcome = f"here {other} is indeed the likelier of the two"
    elif found.low > 0.5:
        outcome = f"here {other} is the less likely one"
    else:
        outcome = f"here {other} and the own images cannot be told apart"
    return (
        "A flow may find images of another data set likelier than those that it was trained on (Nalisnick et "
        f"al. 2019), so a likelihood alone is no proof of belonging: {outcome}, AUROC {found.auroc:.3f}."
    )


def _lower(area: float, own: int, foreign: int) -> float:
    """Return the least area from which ``area`` lies no more than `_Z` of that area's deviations away.

    The deviation is that of the bound sought, not of the area found, which would be 0 at an area of 1.
    """
    low, high = 0.0, area
    for _ in range(60):  # halvings: exact in float64
        middle = (low + high) / 2
        if (area - middle) ** 2 > _Z**2 * _variance(middle, own, foreign):
            low = middle
        else:
            high = middle
    return low


def _variance(area: float, own: int, foreign: int) -> float:
    """Return Hanley & McNeil's (1982) variance of an area, with the mean of both counts (Newcombe 2006)."""
    others = (own + foreign) / 2 - 1
    shared = (1 - area) / (2 - area) + area / (1 + area)
    return area * (1 - area) * (1 + others * shared) / (own * foreign)


def _values(values: ArrayLike | torch.Tensor, name: str) -> NDArray[np.float64]:
    array = values.detach().cpu().double().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    array = array.astype(np.float64).ravel()
    if not len(array):
        raise SipError(f"There is no {name} log-likelihood; give at least one image on each side.")
    if np.isnan(array).any():
        raise SipError(
            f"A log-likelihood of the {name} images is not a number; check the flow with its round trip."
        )
    return array
