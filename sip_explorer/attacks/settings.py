"""What the settings of an attack may be."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, SupportsIndex

from sip_explorer.attacks.losses import loss_names
from sip_explorer.attacks.request import Norm
from sip_explorer.records import SipError

if TYPE_CHECKING:
    from sip_explorer.attacks.pgd import PGD

Reduction = Literal["sum", "mean"]
ZeroGradient = Literal["random", "stay"]
Keep = Literal["best", "last"]
Execution = Literal["vectorised", "literal"]


@dataclass(frozen=True)
class ThreatModel:
    """What an attacker may change: a norm, its radius in units of [0, 1] images, and who uses it."""

    norm: Norm
    epsilon: float
    words: str


def threat_models() -> dict[str, ThreatModel]:
    """Return the usual threat models by name."""
    return {
        "linf-8/255": ThreatModel("linf", 8 / 255, "L∞ 8/255 (CIFAR-10)"),
        "l2-0.5": ThreatModel("l2", 0.5, "L2 0.5 (CIFAR-10)"),
        "linf-0.1": ThreatModel("linf", 0.1, "L∞ 0.1 (Fashion-MNIST)"),
    }


def threat_model(name: str) -> ThreatModel:
    """Return one of `threat_models`; SipError where there is none of that name."""
    known = threat_models()
    if name not in known:
        raise SipError(f"The threat model {name!r} is unknown; choose one of {', '.join(known)}.")
    return known[name]


_CHOICES: dict[str, tuple[str, ...]] = {
    "norm": ("linf", "l2"),
    "loss": loss_names(),
    "reduction": ("sum", "mean"),
    "step": ("sign", "normalised", "raw"),
    "zero_gradient": ("random", "stay"),
    "keep": ("best", "last"),
    "precision": ("float32", "bfloat16", "float16"),
    "model_mode": ("eval", "train"),
    "execution": ("vectorised", "literal"),
}


def check_settings(attack: "PGD") -> None:
    """Raise SipError, one sentence that names the setting, where ``attack`` cannot be meant so."""
    for name, known in _CHOICES.items():
        if getattr(attack, name) not in known:
            raise SipError(
                f"The attack's {name} is {getattr(attack, name)!r}; choose one of {', '.join(known)}."
            )
    require_whole(attack, "The attack's", "steps", "restarts", "micro_batch", "eot")
    require_seed(attack.seed)
    if attack.step_size is not None and not (attack.step_size > 0 and math.isfinite(attack.step_size)):
        raise SipError(f"The step size {attack.step_size} is not possible: choose a number above 0.")
    if attack.guard is not None:
        kind, constant = attack.guard if len(attack.guard) == 2 else ("", 0.0)
        if kind not in ("add", "floor") or not (constant > 0 and math.isfinite(constant)):
            raise SipError(f'The guard {attack.guard} is unknown: use ("add", 1e-10) or ("floor", 1e-6).')
        if attack.step != "normalised":
            raise SipError(
                f"A guard belongs to the norm of normalised steps and the steps are {attack.step}: leave "
                "the guard out, or choose normalised steps."
            )
    if attack.pad_to is not None and (attack.pad_to < 1 or attack.execution != "literal"):
        raise SipError(
            "The padding pad_to belongs to literal execution and is at least 1: leave it out else."
        )
    if attack.model_mode == "train" and attack.pad_to is not None:
        raise SipError("Padding would enter the batch statistics of a model in train mode: leave pad_to out.")
    if attack.model_mode == "train" and attack.execution != "literal":
        raise SipError("A model in train mode mixes the images of a batch: choose literal execution.")


def require_whole(owner: object, whose: str, *names: str) -> None:
    """Raise SipError where one of these numbers of ``owner`` is not whole, or below 1."""
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, SupportsIndex):
            raise SipError(f"{whose} {name} is {value!r}; it must be a whole number.")
        if value.__index__() < 1:
            raise SipError(f"{whose} {name} is {value}; it must be at least 1.")


def require_seed(seed: object) -> None:
    """Raise SipError where ``seed`` is no whole number that random generators take."""
    if not isinstance(seed, SupportsIndex) or not -(2**63) <= seed.__index__() < 2**63:
        raise SipError(f"The seed is {seed!r}; it must be a whole number of at most 63 bits.")
