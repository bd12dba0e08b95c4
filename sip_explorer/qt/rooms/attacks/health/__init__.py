"""The view of health reports: can attacks on the current model be believed?"""

from sip_explorer.qt.rooms.attacks.health.view import HealthView

__all__ = ["HealthView"]
