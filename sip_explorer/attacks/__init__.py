"""Attacks on classifiers: losses, PGD within budgets, and sweeps over its conditions."""

from sip_explorer.attacks.apgd import APGD, ApgdState
from sip_explorer.attacks.losses import LossName, attack_loss, loss_names
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.plan import SweepSpec
from sip_explorer.attacks.result import AttackResult, AttackState, EnsembleResult, Perturbation
from sip_explorer.attacks.settings import ThreatModel, threat_models
from sip_explorer.attacks.sweep import sweep
from sip_explorer.records.sweeps import CellResult

__all__ = [
    "APGD",
    "PGD",
    "ApgdState",
    "AttackResult",
    "AttackState",
    "CellResult",
    "EnsembleResult",
    "LossName",
    "Perturbation",
    "SweepSpec",
    "ThreatModel",
    "attack_loss",
    "loss_names",
    "sweep",
    "threat_models",
]
