"""The main job unattended, through the real window: paint, train, attack, invert; pictures and a report."""

from sip_explorer.qt.tour.run import run

__all__ = ["run"]
