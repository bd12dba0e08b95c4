"""What a person made and the catalogue is to keep: handed to the thread that writes."""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sip_explorer.workspace.masks import Mask, Stroke, apply, insert_stroke

Row = tuple[str, tuple[object, ...]]
"""A statement that writes one row, and its values."""


@dataclass(eq=False)
class Change:
    """One act of a person, saved as a whole: mostly a stroke, and the rows that go with it.

    The rows must be such that only the disk can refuse them: a change that fails is tried again
    for ever, and what came after it waits.

    Attributes
    ----------
    number : int
        Id of the stroke's row once it is written, even if that is not committed yet; else 0. Every
        attempt gives the same id, as all before it are written first.
    """

    rows: tuple[Row, ...]
    image: int = 0
    annotator: int = 0
    stroke: Stroke | None = None
    shape: tuple[int, int] = (0, 0)
    saved: "Future[float]" = field(default_factory=Future)
    number: int = 0

    def write(self, connection: sqlite3.Connection) -> None:
        """Write the stroke and the rows (no commit)."""
        if self.stroke is not None:
            self.number = insert_stroke(connection, self.image, self.annotator, self.stroke)
        for statement, values in self.rows:
            connection.execute(statement, values)


def with_waiting(mask: Mask, last: int, waiting: Sequence[Change]) -> Mask:
    """Write those strokes of ``waiting`` into ``mask`` that are not among its rows up to ``last``.

    A stroke that waited when it was asked for may have been committed before the mask was read, and
    later ones with it: applied again, it would cover them.
    """
    for change in waiting:
        if change.stroke is not None and not 0 < change.number <= last:
            apply(mask, change.stroke)
    return mask
