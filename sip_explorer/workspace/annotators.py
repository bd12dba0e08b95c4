"""People who paint: names and colours; and the review state of every (image, annotator)."""

import sqlite3
from dataclasses import dataclass

from sip_explorer.records import SipError

STATES = ("unpainted", "painted", "empty", "skipped")
# Okabe and Ito's colours: told apart by the colour-blind too.
_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#F0E442", "#999999")


@dataclass(frozen=True)
class Annotator:
    """Someone who paints; ``colour`` is #RRGGBB."""

    id: int
    name: str
    colour: str


@dataclass(frozen=True)
class Review:
    """``state`` is one of `STATES`; ``pixels`` counts the mask's pixels above 0."""

    state: str = "unpainted"
    pixels: int = 0


UNPAINTED = Review()


def read_annotators(connection: sqlite3.Connection) -> list[Annotator]:
    """Return everyone, in the order in which they came."""
    rows = connection.execute("SELECT id, name, colour FROM annotators ORDER BY id")
    return [Annotator(*row) for row in rows]


def insert_annotator(connection: sqlite3.Connection, name: str) -> Annotator:
    """Add someone; `SipError` if the name is empty or taken (no commit)."""
    name = name.strip()
    if not name:
        raise SipError("The annotator has no name: type one.")
    (count,) = connection.execute("SELECT count(*) FROM annotators").fetchone()
    colour = _COLOURS[count % len(_COLOURS)]
    try:
        cursor = connection.execute("INSERT INTO annotators (name, colour) VALUES (?, ?)", (name, colour))
    except sqlite3.IntegrityError:
        raise SipError(f"There is an annotator named {name} already: choose another name.") from None
    return Annotator(int(cursor.lastrowid or 0), name, colour)


def read_reviews(connection: sqlite3.Connection) -> dict[tuple[int, int], Review]:
    """Return (image, annotator) -> review; who is not in it is unpainted."""
    rows = connection.execute("SELECT image, annotator, state, pixels FROM reviews")
    return {(image, annotator): Review(state, pixels) for image, annotator, state, pixels in rows}


def after_stroke(review: Review, added: int) -> Review:
    """Return the review after a stroke that added ``added`` pixels above 0 (fewer than 0: erased).

    Paint makes an image painted, the last pixel erased makes it unpainted; an eraser on an image
    left empty on purpose or skipped changes nothing.
    """
    pixels = max(0, review.pixels + added)
    if pixels and (added > 0 or review.state == "painted"):
        return Review("painted", pixels)
    if not pixels and review.state == "painted":
        return Review("unpainted", 0)
    return Review(review.state, pixels)


def after_marking(review: Review, state: str, image: int) -> Review:
    """Return the review after someone chose ``state``; `SipError` where the mask contradicts it."""
    if state not in STATES:
        raise SipError(f"{state!r} is no review state: choose one of {', '.join(STATES)}.")
    if state in ("empty", "unpainted") and review.pixels:
        raise SipError(f"Image {image} has paint on it: clear it before you mark it {state}.")
    if state == "painted" and not review.pixels:
        raise SipError(f"Image {image} has no paint on it: paint it, or mark it empty on purpose.")
    return Review(state, review.pixels)
