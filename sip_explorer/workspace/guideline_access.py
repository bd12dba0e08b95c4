"""What all who paint in an open workspace share: settings, and the examples beside the guideline."""

import sqlite3
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from sip_explorer.records import SipError
from sip_explorer.workspace.mask_access import MaskAccess
from sip_explorer.workspace.reviews import storable

EXAMPLE_VERDICTS = ("accepted", "refused")
_SAVE_SECONDS = 5.0


@dataclass(frozen=True)
class Example:
    """A mask shown beside the guideline, as it was when it was chosen.

    The mask is ``workspace.mask(image, annotator, last=stroke)``; ``verdict`` is "accepted" or
    "refused", ``annotator`` an id.
    """

    id: int
    image: int
    annotator: int
    verdict: str
    caption: str
    stroke: int


class GuidelineAccess(MaskAccess):
    """The part of `Workspace` about the guideline; may be used from any thread."""

    _settings: dict[str, str]

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._settings = {}
        super().__init__(path, read_only=read_only)

    def setting(self, key: str) -> str:
        """Return what was set under ``key``, "" if nothing.

        Keys: ``guideline`` (plain text), ``blind`` ("1": nobody sees another's masks), ``overlap``
        and ``practice`` (names of collections).
        """
        return self._settings.get(key, "")

    def set_setting(self, key: str, text: str) -> Future[float]:
        """Set ``key`` for everybody; what it was before stays in the catalogue.

        The future gives the POSIX time at which that is on disk; until then it is kept in memory
        and tried again, as strokes are. `SipError` if the workspace is read-only.
        """
        with self._acting:
            text = storable(text)
            saved = self._queue(
                ("INSERT INTO settings (key, text, at) VALUES (?, ?, ?)", (storable(key), text, time.time()))
            )
            self._settings[key] = text
            return saved

    def examples(self) -> list[Example]:
        """Return the examples, in the order in which they were chosen."""
        rows = self._read(
            lambda c: c.execute(
                "SELECT id, image, annotator, verdict, caption, stroke FROM examples "
                "WHERE removed IS NULL ORDER BY id"
            ).fetchall()
        )
        return [Example(*row) for row in rows]

    def add_example(self, image: int, annotator: int | str, verdict: str, caption: str = "") -> Example:
        """Show the mask, as it is now, beside the guideline; later strokes do not change the example.

        Raises
        ------
        SipError
            If the verdict is neither "accepted" nor "refused", the image or annotator is unknown,
            or the catalogue cannot be written now.
        """
        if verdict not in EXAMPLE_VERDICTS:
            raise SipError(
                f"{verdict!r} is no verdict on an example: choose one of {', '.join(EXAMPLE_VERDICTS)}."
            )
        self._index.rows([image])
        who = self.annotator(annotator).id
        if not self.flush(_SAVE_SECONDS):
            raise SipError(
                f"The example cannot be kept before its mask is saved. {self.save_problem}".strip()
            )
        caption = storable(caption.strip())
        return self._write(lambda c: _insert_example(c, int(image), who, verdict, caption))

    def remove_example(self, example: int) -> None:
        """Show the example no longer; `SipError` if there is none of that id."""
        self._write(lambda c: _remove_example(c, example))

    def refresh(self) -> None:
        super().refresh()
        with self._acting:
            if not self.unsaved:
                rows = self._read(
                    lambda c: c.execute("SELECT key, text FROM settings ORDER BY id").fetchall()
                )
                self._settings = dict(rows)


def _insert_example(
    connection: sqlite3.Connection, image: int, annotator: int, verdict: str, caption: str
) -> Example:
    (stroke,) = connection.execute(
        "SELECT ifnull(max(id), 0) FROM strokes WHERE image = ? AND annotator = ?", (image, annotator)
    ).fetchone()
    cursor = connection.execute(
        "INSERT INTO examples (image, annotator, verdict, caption, stroke, at) VALUES (?, ?, ?, ?, ?, ?)",
        (image, annotator, verdict, caption, stroke, time.time()),
    )
    return Example(int(cursor.lastrowid or 0), image, annotator, verdict, caption, stroke)


def _remove_example(connection: sqlite3.Connection, example: int) -> None:
    changed = connection.execute(
        "UPDATE examples SET removed = ? WHERE id = ? AND removed IS NULL", (time.time(), example)
    ).rowcount
    if not changed:
        raise SipError(f"There is no example {example} beside the guideline any more.")
