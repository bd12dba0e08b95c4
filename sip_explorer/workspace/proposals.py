"""Proposed salience in the catalogue: rows of maps, and what people decided about them."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.masks import Mask, decode_png, encode_png
from sip_explorer.workspace.pictures import resize
from sip_explorer.workspace.reviews import storable

DECISIONS = ("accepted", "corrected", "refused", "reopened")
LONGEST_SIDE = 1024
"""Pixels of a stored map; larger ones are reduced."""
_AT_ONCE = 500  # images in one question


@dataclass(frozen=True)
class NewProposal:
    """A map that a method proposes as the salience of an image.

    Attributes
    ----------
    image : int
    method : str
        ``grad-cam``, ``object-prior``, ...
    model, model_hash : str
        Of the model that was asked; empty where none was.
    detail : str
        What else it takes to make the map again: a layer, a baseline, the image copied from.
    map : uint8 (h, w)
        0..255, over the whole image, of any size.
    """

    image: int
    method: str
    model: str
    model_hash: str
    detail: str
    map: NDArray[np.uint8]


@dataclass(frozen=True)
class ProposalEntry:
    """A kept proposal without its map; ``at`` is the POSIX time at which it was made."""

    id: int
    image: int
    method: str
    model: str
    model_hash: str
    detail: str
    at: float


Row = tuple[int, str, str, str, str, float, bytes]


def packed(proposal: NewProposal) -> Row:
    """Return the row of a proposal, its map at most `LONGEST_SIDE` pixels long.

    Raises
    ------
    SipError
        If the map is no uint8 (h, w).
    """
    values = np.asarray(proposal.map)
    if values.dtype != np.uint8 or values.ndim != 2 or not values.size:
        raise SipError(
            f"A map of {values.dtype} {values.shape} cannot be proposed for image {proposal.image}: "
            "give uint8 (height, width)."
        )
    longest = max(values.shape)
    if longest > LONGEST_SIDE:
        height, width = (max(1, round(side * LONGEST_SIDE / longest)) for side in values.shape)
        values = resize(values, (height, width))
    names = (proposal.method, proposal.model, proposal.model_hash, proposal.detail)
    method, model, model_hash, detail = (storable(name) for name in names)
    return proposal.image, method, model, model_hash, detail, time.time(), encode_png(values)


def insert_proposals(connection: sqlite3.Connection, rows: Sequence[Row]) -> list[int]:
    """Append rows and return their ids (no commit)."""
    return [
        int(
            connection.execute(
                "INSERT INTO proposals (image, method, model, model_hash, detail, at, map) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            ).lastrowid
            or 0
        )
        for row in rows
    ]


def read_proposals(connection: sqlite3.Connection, ids: Ids) -> list[ProposalEntry]:
    """Return the proposals of images, oldest first."""
    images = sorted({int(image) for image in ids})
    found: list[ProposalEntry] = []
    for start in range(0, len(images), _AT_ONCE):
        part = images[start : start + _AT_ONCE]
        rows = connection.execute(
            "SELECT id, image, method, model, model_hash, detail, at FROM proposals "
            f"WHERE image IN ({', '.join('?' * len(part))})",
            part,
        )
        found += [ProposalEntry(*row) for row in rows]
    return sorted(found, key=lambda entry: entry.id)


def read_map(connection: sqlite3.Connection, proposal: int) -> Mask:
    """Return the map of a proposal as it is kept; `SipError` if it is not there or damaged."""
    row = connection.execute("SELECT map FROM proposals WHERE id = ?", (proposal,)).fetchone()
    if row is None:
        raise SipError(f"There is no proposal {proposal} in this workspace: ask for a new one.")
    values = decode_png(row[0])
    if values is None:
        raise SipError(f"The map of proposal {proposal} is damaged: ask for a new one.")
    return values


def read_decisions(connection: sqlite3.Connection) -> dict[tuple[int, int], str]:
    """Return (proposal, annotator) -> the last decision."""
    rows = connection.execute("SELECT proposal, annotator, decision FROM decisions ORDER BY id")
    return {(proposal, annotator): decision for proposal, annotator, decision in rows}
