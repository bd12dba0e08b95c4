"""The Salience room: paint what matters in an image."""

from sip_explorer.qt.rooms.salience.room import SalienceRoom

__all__ = ["SalienceRoom"]
