"""How well a likelihood tells foreign images from one's own."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from sip_explorer.records import SipError


@dataclass(frozen=True, eq=False)
class Detector:
    """The receiver operating characteristic of "suspicious where log p(x) is low".

    Attributes
    ----------
    false_alarms, detected : float64 (M,), shares in [0, 1] of the own and of the foreign images whose
        log-likelihood is at or under ``thresholds``; both go from 0 to 1.
    thresholds : float64 (M,), nats, ascending; −inf first.
    auroc : the area, in [0, 1]: how often a foreign image is less likely than one's own, ties half.
    low, high : its 95 % interval (Hanley & McNeil 1982).
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
    both, beside = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (len(other) - 1) * (both - area**2) + (len(clean) - 1) * (beside - area**2)
    error = 1.959964 * math.sqrt(max(0.0, spread) / (len(clean) * len(other)))
    return Detector(
        alarms,
        detected,
        np.concatenate(([-np.inf], levels)),
        area,
        max(0.0, area - error),
        min(1.0, area + error),
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
