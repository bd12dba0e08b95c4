"""Attacks on classifiers: losses, PGD and APGD within budgets, AutoAttack, sweeps and evaluations."""

from sip_explorer.attacks.apgd import APGD, ApgdState
from sip_explorer.attacks.autoattack import AutoAttack, AutoAttackState
from sip_explorer.attacks.evaluation import evaluate
from sip_explorer.attacks.evaluation_plan import EvaluationSpec, StandardAttack, standard_attacks
from sip_explorer.attacks.foreign import ForeignVerdict, judge_file, judge_images
from sip_explorer.attacks.health import HealthFinding, HealthReport, health_report
from sip_explorer.attacks.losses import LossName, attack_loss, loss_names
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.plan import SweepSpec
from sip_explorer.attacks.result import AttackResult, AttackState, EnsembleResult, Perturbation
from sip_explorer.attacks.rounding import PngExport, export_png, rounded_toward
from sip_explorer.attacks.settings import ThreatModel, threat_models
from sip_explorer.attacks.sweep import sweep
from sip_explorer.attacks.trades import TradesAttack
from sip_explorer.attacks.transfer import transfer
from sip_explorer.records.sweeps import CellResult
from sip_explorer.records.transfers import TransferMatrix

__all__ = [
    "APGD",
    "PGD",
    "ApgdState",
    "AttackResult",
    "AttackState",
    "AutoAttack",
    "AutoAttackState",
    "CellResult",
    "EnsembleResult",
    "EvaluationSpec",
    "ForeignVerdict",
    "HealthFinding",
    "HealthReport",
    "LossName",
    "Perturbation",
    "PngExport",
    "StandardAttack",
    "SweepSpec",
    "ThreatModel",
    "TradesAttack",
    "TransferMatrix",
    "attack_loss",
    "evaluate",
    "export_png",
    "health_report",
    "judge_file",
    "judge_images",
    "loss_names",
    "rounded_toward",
    "standard_attacks",
    "sweep",
    "threat_models",
    "transfer",
]
