"""The view of sweeps: curves and tables of many images under many attacks."""

from sip_explorer.qt.rooms.attacks.sweep.view import SweepView

__all__ = ["SweepView"]
