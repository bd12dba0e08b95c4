"""The Attack room: watch perturbations grow with epsilon and with the batch size."""

from sip_explorer.qt.rooms.attacks.room import AttackRoom

__all__ = ["AttackRoom"]
