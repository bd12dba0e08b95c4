"""What people say of a mask: its state, a check by another person, a note."""

import sqlite3
from dataclasses import dataclass

from sip_explorer.records import SipError
from sip_explorer.workspace.changes import Row

STATES = ("unpainted", "painted", "empty", "skipped")
VERDICTS = ("checked", "disputed")
Key = tuple[int, int]
"""(image, annotator)"""


@dataclass(frozen=True)
class Review:
    """``state`` is one of `STATES`; ``pixels`` counts the mask's pixels above 0.

    ``at`` is the POSIX time of the last stroke or mark.
    """

    state: str = "unpainted"
    pixels: int = 0
    at: float = 0.0


UNPAINTED = Review()


def read_reviews(connection: sqlite3.Connection) -> dict[Key, Review]:
    """Return (image, annotator) -> review; who is not in it is unpainted."""
    rows = connection.execute("SELECT image, annotator, state, pixels, at FROM reviews")
    return {(image, annotator): Review(state, pixels, at) for image, annotator, state, pixels, at in rows}


def read_checks(connection: sqlite3.Connection) -> dict[Key, str]:
    """Return (image, annotator) -> verdict, "" where it was taken back."""
    rows = connection.execute("SELECT image, annotator, verdict FROM checks ORDER BY id")
    return {(image, annotator): verdict for image, annotator, verdict in rows}


def read_notes(connection: sqlite3.Connection) -> dict[Key, str]:
    """Return (image, annotator) -> note, "" where it was emptied."""
    rows = connection.execute("SELECT image, annotator, text FROM notes ORDER BY id")
    return {(image, annotator): text for image, annotator, text in rows}


def review_row(key: Key, review: Review) -> Row:
    """Return the row that makes ``review`` the present one."""
    return (
        "INSERT INTO reviews (image, annotator, state, pixels, at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET state = excluded.state, pixels = excluded.pixels, at = excluded.at",
        (*key, review.state, review.pixels, review.at),
    )


def check_row(key: Key, verdict: str, by: int, at: float) -> Row:
    """Return the row that makes ``verdict`` the present one."""
    return (
        "INSERT INTO checks (image, annotator, verdict, by, at) VALUES (?, ?, ?, ?, ?)",
        (*key, verdict, by, at),
    )


def note_row(key: Key, text: str, at: float) -> Row:
    """Return the row that makes ``text`` the present note."""
    return "INSERT INTO notes (image, annotator, text, at) VALUES (?, ?, ?, ?)", (*key, text, at)


def after_stroke(review: Review, added: int, at: float) -> Review:
    """Return the review after a stroke that added ``added`` pixels above 0 (fewer than 0: erased).

    Paint makes an image painted, the last pixel erased makes it unpainted; an eraser on an image
    left empty on purpose or skipped changes nothing.
    """
    pixels = max(0, review.pixels + added)
    if pixels and (added > 0 or review.state == "painted"):
        return Review("painted", pixels, at)
    if not pixels and review.state == "painted":
        return Review("unpainted", 0, at)
    return Review(review.state, pixels, at)


def after_marking(review: Review, state: str, image: int, at: float) -> Review:
    """Return the review after someone chose ``state``; `SipError` where the mask contradicts it."""
    if state not in STATES:
        raise SipError(f"{state!r} is no review state: choose one of {', '.join(STATES)}.")
    if state in ("empty", "unpainted") and review.pixels:
        raise SipError(f"Image {image} has paint on it: clear it before you mark it {state}.")
    if state == "painted" and not review.pixels:
        raise SipError(f"Image {image} has no paint on it: paint it, or mark it empty on purpose.")
    return Review(state, review.pixels, at)


def storable(text: str) -> str:
    """Return ``text`` without what no catalogue can keep (halves of surrogate pairs)."""
    return text.encode("utf-8", "replace").decode("utf-8")
