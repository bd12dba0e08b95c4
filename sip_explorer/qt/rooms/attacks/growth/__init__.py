"""One image step by step: the growth of its perturbation with epsilon and with the batch size."""

from sip_explorer.qt.rooms.attacks.growth.growth import Growth, grow
from sip_explorer.qt.rooms.attacks.growth.pane import GrowthPane

__all__ = ["Growth", "GrowthPane", "grow"]
