"""Attacks on classifiers: losses, PGD within budgets, and sweeps over its conditions."""

from sip_explorer.attacks.losses import LossName, attack_loss, loss_names
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.result import AttackResult, AttackState, Perturbation

__all__ = ["PGD", "AttackResult", "AttackState", "LossName", "Perturbation", "attack_loss", "loss_names"]
