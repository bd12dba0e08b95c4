"""People who paint, and the two painters who are nobody: names, colours and kinds."""

import re
import sqlite3
from dataclasses import dataclass, replace

from sip_explorer.records import SipError

PERSON, ADJUDICATED, ANSWERS = "person", "adjudicated", "answers"
KINDS = (PERSON, ADJUDICATED, ANSWERS)
NAMES = {ADJUDICATED: "Adjudicated", ANSWERS: "Known answers"}
"""What the painters who are no person are called; no person may take these names."""
# Okabe and Ito's colours: told apart by the colour-blind too.
_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#F0E442", "#999999")


@dataclass(frozen=True)
class Annotator:
    """Someone who paints; ``colour`` is #RRGGBB.

    ``kind`` is "person"; or "adjudicated", whose masks are those that people agreed on; or
    "answers", whose masks are the known answers of the practice set. Of the last two there is at
    most one each.
    """

    id: int
    name: str
    colour: str
    kind: str = PERSON


def read_annotators(connection: sqlite3.Connection) -> list[Annotator]:
    """Return everyone, in the order in which they came."""
    rows = connection.execute("SELECT id, name, colour, kind FROM annotators ORDER BY id")
    return [Annotator(*row) for row in rows]


def insert_annotator(
    connection: sqlite3.Connection, name: str, kind: str = PERSON, colour: str | None = None
) -> Annotator:
    """Add someone, with the next colour where none is given (no commit).

    Raises
    ------
    SipError
        If the name is empty, taken or kept for another kind, the colour is none, or there is one of
        a kind of which there can be only one.
    """
    if kind not in KINDS:
        raise SipError(f"{kind!r} is no kind of annotator: choose one of {', '.join(KINDS)}.")
    name = _checked_name(name, kind)
    if colour is None:
        (count,) = connection.execute("SELECT count(*) FROM annotators").fetchone()
        colour = _COLOURS[count % len(_COLOURS)]
    try:
        cursor = connection.execute(
            "INSERT INTO annotators (name, colour, kind) VALUES (?, ?, ?)",
            (name, _checked_colour(colour), kind),
        )
    except sqlite3.IntegrityError as error:
        if "annotators.kind" in str(error):
            raise SipError(f"There is an annotator of the kind {kind} already: use that one.") from None
        raise _taken(name) from None
    return Annotator(int(cursor.lastrowid or 0), name, colour, kind)


def insert_single(connection: sqlite3.Connection, kind: str) -> Annotator:
    """Return the one annotator of ``kind``, added where it is new (no commit)."""
    for annotator in read_annotators(connection):
        if annotator.kind == kind:
            return annotator
    # In a catalogue that was made before the names were kept, a person may have taken one.
    taken = {name.casefold() for (name,) in connection.execute("SELECT name FROM annotators")}
    name, number = NAMES[kind], 1
    while name.casefold() in taken:
        number += 1
        name = f"{NAMES[kind]} {number}"
    return insert_annotator(connection, name, kind)


def update_annotator(
    connection: sqlite3.Connection, annotator: Annotator, name: str | None, colour: str | None
) -> Annotator:
    """Rename or recolour someone; `SipError` as `insert_annotator` (no commit)."""
    changed = replace(
        annotator,
        name=annotator.name if name is None else _checked_name(name, annotator.kind),
        colour=annotator.colour if colour is None else _checked_colour(colour),
    )
    try:
        connection.execute(
            "UPDATE annotators SET name = ?, colour = ? WHERE id = ?",
            (changed.name, changed.colour, annotator.id),
        )
    except sqlite3.IntegrityError:
        raise _taken(changed.name) from None
    return changed


def _checked_name(name: str, kind: str) -> str:
    name = name.strip()
    if not name:
        raise SipError("The annotator has no name: type one.")
    if not name.isprintable():  # lone surrogates among them, which no catalogue can keep
        raise SipError(f"The name {name!r} holds characters that cannot be shown: type another one.")
    for other, kept in NAMES.items():
        if kind != other and name.casefold() == kept.casefold():
            raise SipError(f"The name {kept} is kept by the program: choose another name.")
    return name


def _checked_colour(colour: str) -> str:
    if not re.fullmatch("#[0-9A-Fa-f]{6}", colour):
        raise SipError(f"{colour!r} is no colour: give it as #RRGGBB.")
    return colour


def _taken(name: str) -> SipError:
    return SipError(f"There is an annotator named {name} already: choose another name.")
