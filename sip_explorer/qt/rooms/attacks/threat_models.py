"""The usual threat models: one choice fills norm and epsilons."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ThreatModel:
    """A norm, its usual epsilon, and the list of epsilons around it."""

    words: str
    norm: str
    epsilon: float
    epsilons: str


# The same as `attacks.threat_models`, which brings torch with it: the form is shown before torch is there.
THREAT_MODELS = {
    "linf-8/255": ThreatModel("L∞ 8/255 (CIFAR-10)", "linf", 8 / 255, "2/255, 4/255, 8/255, 16/255"),
    "l2-0.5": ThreatModel("L2 0.5 (CIFAR-10)", "l2", 0.5, "0.125, 0.25, 0.5, 1"),
    "linf-0.1": ThreatModel("L∞ 0.1 (Fashion)", "linf", 0.1, "0.025, 0.05, 0.1, 0.2"),
}
