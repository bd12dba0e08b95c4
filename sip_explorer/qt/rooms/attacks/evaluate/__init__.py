"""The view of evaluations: standard attacks on the ticked models, and the verdict on given images."""

from sip_explorer.qt.rooms.attacks.evaluate.view import EvaluateView

__all__ = ["EvaluateView"]
