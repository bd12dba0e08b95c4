"""The view of transfer: the adversarial images of each model, tried on each other."""

from sip_explorer.qt.rooms.attacks.transfer.view import TransferView

__all__ = ["TransferView"]
