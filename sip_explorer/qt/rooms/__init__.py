"""The rooms of the rail, in its order. A room's module is imported when the room is first entered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.qt.room import Room
    from sip_explorer.state import Session


@dataclass(frozen=True)
class RoomEntry:
    """The word and drawing on the rail, and how the room is made."""

    word: str
    icon: str
    make: Callable[[Session], Room]


def _library(session: Session) -> Room:
    from sip_explorer.qt.rooms.library import LibraryRoom

    return LibraryRoom(session)


def _salience(session: Session) -> Room:
    from sip_explorer.qt.rooms.salience import SalienceRoom

    return SalienceRoom(session)


def _training(session: Session) -> Room:
    from sip_explorer.qt.rooms.training import TrainingRoom

    return TrainingRoom(session)


def _attacks(session: Session) -> Room:
    from sip_explorer.qt.rooms.attacks import AttackRoom

    return AttackRoom(session)


def _prototypes(session: Session) -> Room:
    from sip_explorer.qt.rooms.prototypes import PrototypeRoom

    return PrototypeRoom(session)


ROOMS: dict[str, RoomEntry] = {
    "library": RoomEntry("Library", "library", _library),
    "salience": RoomEntry("Salience", "salience", _salience),
    "training": RoomEntry("Train", "training", _training),
    "attacks": RoomEntry("Attack", "attacks", _attacks),
    "prototypes": RoomEntry("Prototypes", "prototypes", _prototypes),
}
