"""What an evaluation has to compute: the standard attacks, and where their figures are kept."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sip_explorer.attacks.apgd import APGD
from sip_explorer.attacks.autoattack import AutoAttack
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.request import Norm
from sip_explorer.attacks.settings import require_whole
from sip_explorer.records import SipError
from sip_explorer.records.sweeps import REGIONS, CellKey

Attack = PGD | APGD | AutoAttack


@dataclass(frozen=True)
class StandardAttack:
    """An attack that everybody means the same by: its words, the loss it climbs, and how it steps."""

    words: str
    loss: str
    step: str
    make: Callable[[Norm, int, int], Attack]


def standard_attacks() -> dict[str, StandardAttack]:
    """Return the attacks of an evaluation by name, quick ones first."""
    return {
        "pgd": StandardAttack("PGD, 20 steps, log-odds", "log-odds", "", _pgd),
        "apgd": StandardAttack(
            "APGD, 100 steps, log-odds",
            "log-odds",
            "adaptive",
            lambda norm, size, seed: APGD(norm=norm, micro_batch=size, seed=seed),
        ),
        "apgd-ce+t": StandardAttack(
            "APGD on CE and targeted DLR",
            "ce + targeted dlr",
            "adaptive",
            lambda norm, size, seed: APGD.ce_and_targeted(norm=norm, micro_batch=size, seed=seed),
        ),
        "autoattack": StandardAttack(
            "AutoAttack, standard",
            "standard ensemble",
            "adaptive",
            lambda norm, size, seed: AutoAttack(norm=norm, batch_size=size, seed=seed),
        ),
    }


def _pgd(norm: Norm, size: int, seed: int) -> PGD:
    return PGD(
        norm=norm, step="sign" if norm == "linf" else "normalised", steps=20, micro_batch=size, seed=seed
    )


@dataclass(frozen=True)
class EvaluationSpec:
    """Which attacks at which epsilons.

    Attributes
    ----------
    epsilons
        In units of [0, 1] images.
    attacks
        Names of `standard_attacks`.
    norm, seed
        Of all attacks.
    micro_batch
        The one batch shape of PGD and APGD.
    batch_size
        AutoAttack's; like the micro-batch a part of the result's identity.
    regions
        Where the attacks may move pixels, of `REGIONS`.
    """

    epsilons: tuple[float, ...]
    attacks: tuple[str, ...] = ("autoattack",)
    norm: Norm = "linf"
    seed: int = 0
    micro_batch: int = 64
    batch_size: int = 250
    regions: tuple[str, ...] = REGIONS[:1]

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilons", tuple(dict.fromkeys(sorted(map(float, self.epsilons)))))
        object.__setattr__(self, "attacks", tuple(dict.fromkeys(self.attacks)))
        object.__setattr__(self, "regions", tuple(dict.fromkeys(self.regions)))
        for what, known in (("attack", tuple(standard_attacks())), ("region", REGIONS)):
            for name in getattr(self, f"{what}s"):
                if name not in known:
                    raise SipError(f"The {what} {name!r} is unknown; choose one of {', '.join(known)}.")
        for what in ("epsilons", "attacks", "regions"):
            if not getattr(self, what):
                raise SipError(f"The evaluation has no {what}: choose at least one.")
        for epsilon in self.epsilons:
            if not (epsilon >= 0 and math.isfinite(epsilon)):
                raise SipError(f"Epsilon {epsilon} is not possible: choose numbers of at least 0.")
        require_whole(self, "The evaluation's", "micro_batch", "batch_size")
        for name in self.attacks:
            # What cannot be meant is refused before any work.
            attack = self.attack(name, self.epsilons[-1])
            if isinstance(attack, AutoAttack) and self.regions != REGIONS[:1]:
                attack.require_regions()

    def key(self, model: str, attack: str, epsilon: float, region: str = REGIONS[0]) -> CellKey:
        """Return where the figure of ``model`` under ``attack`` at ``epsilon`` is kept."""
        standard = standard_attacks()[attack]
        step = standard.step or ("sign" if self.norm == "linf" else "normalised")
        return CellKey(
            model, standard.loss, "sum", "float32", epsilon, 1, attack=attack, step=step, region=region
        )

    def attack(self, name: str, epsilon: float, size: int | None = None) -> Attack:
        """Return the attack; ``size`` is its batch, where it is not the spec's own."""
        own = self.batch_size if name == "autoattack" else self.micro_batch
        return replace(standard_attacks()[name].make(self.norm, size or own, self.seed), epsilon=epsilon)


def images_path(folder: Path | str, key: CellKey) -> Path:
    """Return where the adversarial images of a figure lie, kept or not."""
    return Path(folder) / "adversarial" / f"{key.name}.h5"
