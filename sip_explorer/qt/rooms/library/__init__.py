"""The Library room: every image and every model of the workspace."""

from sip_explorer.qt.rooms.library.room import LibraryRoom

__all__ = ["LibraryRoom"]
