"""The Prototype room: invert a ProtoFlow's prototypes into images."""

from sip_explorer.qt.rooms.prototypes.room import PrototypeRoom

__all__ = ["PrototypeRoom"]
