"""What people say of masks in an open workspace: states, checks, notes, and when they worked."""

import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace import reviews
from sip_explorer.workspace.changes import Change, Row
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.masks import Stroke
from sip_explorer.workspace.people_access import PeopleAccess
from sip_explorer.workspace.reviews import Key, Review

_MANY = 1000  # images of which all are asked at once


class ReviewAccess(PeopleAccess):
    """The part of `Workspace` about the review of masks; may be used from any thread.

    To ask about an annotator who is not there gives what one who did nothing gives. Futures give
    the POSIX time at which what was said is on disk; until then it is kept in memory and tried
    again, as strokes are.
    """

    _reviews: dict[Key, Review]
    _checks: dict[Key, str]
    _notes: dict[Key, str]

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._reviews, self._checks, self._notes = {}, {}, {}
        super().__init__(path, read_only=read_only)

    # ---- states ---------------------------------------------------------------------------

    def states(self, ids: Ids, annotator: int | str) -> list[str]:
        """Return "unpainted", "painted", "empty" (on purpose) or "skipped" for each of ``ids``."""
        self._index.rows(ids)
        who = self._find(annotator)
        return [self._review(int(image), who).state for image in ids]

    def set_state(
        self, image: int, annotator: int | str, state: str, *, at: float | None = None
    ) -> Future[float]:
        """Mark an image; another state than before takes its check back.

        ``at``: POSIX time at which it was said, None for now, 0 where that is not known.

        Raises
        ------
        SipError
            If the mask contradicts the state ("empty" or "unpainted" with paint, "painted"
            without), the annotator is unknown, or the workspace is read-only.
        """
        with self._acting:
            key = self._key(image, annotator)
            before = self._review(*key)
            review = reviews.after_marking(before, state, int(image), time.time() if at is None else at)
            return self._take(key, review, keeps_check=state == before.state)

    # ---- checks and notes -----------------------------------------------------------------

    def checks(self, ids: Ids, annotator: int | str) -> list[str]:
        """Return "", "checked" or "disputed" for each of ``ids``."""
        self._index.rows(ids)
        who = self._find(annotator)
        return [self._checks.get((int(image), who), "") for image in ids]

    def set_check(self, image: int, annotator: int | str, verdict: str, by: int | str) -> Future[float]:
        """Say that ``by`` looked at the mask of ``annotator``: "checked", "disputed", or "" to take it back.

        The next stroke of ``annotator`` takes it back too.

        Raises
        ------
        SipError
            If there is no such verdict, nothing to check, one of the two is unknown, or the
            workspace is read-only.
        """
        if verdict not in ("", *reviews.VERDICTS):
            raise SipError(f"{verdict!r} is no verdict: choose one of {', '.join(reviews.VERDICTS)}.")
        with self._acting:
            key, checker = self._key(image, annotator), self.annotator(by)
            if verdict and self._review(*key).state == "unpainted":
                name = self.annotator(annotator).name
                raise SipError(f"{name} has not painted image {image}: there is nothing to check yet.")
            saved = self._queue(reviews.check_row(key, verdict, checker.id, time.time()))
            self._checks[key] = verdict
            return saved

    def said(self, annotator: int | str) -> tuple[dict[int, str], dict[int, str]]:
        """Return image -> state, and image -> verdict, of those images that have one other than the usual."""
        who = self._find(annotator)
        states = {i: review.state for (i, painter), review in list(self._reviews.items()) if painter == who}
        checks = {i: verdict for (i, painter), verdict in list(self._checks.items()) if painter == who}
        return states, {image: verdict for image, verdict in checks.items() if verdict}

    def dots(self, ids: Ids, annotator: int | str) -> list[str]:
        """Return for each of ``ids`` the verdict of its check, else its state."""
        if len(ids) > _MANY:
            wanted = self._index.ids[self._index.rows(ids)].tolist()
            states, verdicts = self.said(annotator)
            known = {**states, **verdicts}
            return [known.get(image, "unpainted") for image in wanted]
        pairs = zip(self.checks(ids, annotator), self.states(ids, annotator), strict=True)
        return [verdict or state for verdict, state in pairs]

    def note(self, image: int, annotator: int | str) -> str:
        """Return what ``annotator`` noted about the image, "" if nothing."""
        return self._notes.get((int(image), self._find(annotator)), "")

    def set_note(self, image: int, annotator: int | str, text: str) -> Future[float]:
        """Keep a note; `SipError` if the annotator is unknown or the workspace is read-only."""
        with self._acting:
            key, text = self._key(image, annotator), reviews.storable(text)
            saved = self._queue(reviews.note_row(key, text, time.time()))
            self._notes[key] = text
            return saved

    def notes(self, ids: Ids) -> dict[Key, str]:
        """Return (image, annotator id) -> note, for those of ``ids`` that have one."""
        wanted = {int(image) for image in ids}
        return {key: text for key, text in list(self._notes.items()) if text and key[0] in wanted}

    # ---- when ----------------------------------------------------------------------------

    def work_times(self, annotator: int | str) -> NDArray[np.float64]:
        """Return the POSIX times of strokes, marks and checks that ``annotator`` made, ascending.

        What was imported is no work of theirs here.
        """
        who = self._find(annotator)
        rows = self._read(
            lambda c: c.execute(
                "SELECT at FROM strokes WHERE annotator = :who AND tool <> 'import' UNION "
                "SELECT at FROM reviews WHERE annotator = :who AND at > 0 AND NOT EXISTS (SELECT 1 FROM "
                "strokes s WHERE s.annotator = :who AND s.image = reviews.image AND s.at = reviews.at "
                "AND s.tool = 'import') UNION "
                "SELECT at FROM checks WHERE by = :who AND at > 0 ORDER BY at",
                {"who": who},
            ).fetchall()
        )
        return np.array(rows, dtype=np.float64).reshape(-1)

    def finished_at(self, annotator: int | str, *, imported: bool = True) -> dict[int, float]:
        """Return image -> POSIX time of the last stroke or mark, of images painted or left empty.

        0 where it is not known. Without ``imported`` those are left out that are as an import left them.
        """
        who = self._find(annotator)
        found = {
            image: review.at
            for (image, painter), review in list(self._reviews.items())
            if painter == who and review.state in ("painted", "empty")
        }
        if imported:
            return found
        brought = dict(
            self._read(
                lambda c: c.execute(
                    "SELECT image, max(at) FROM strokes WHERE annotator = ? AND tool = 'import' "
                    "GROUP BY image",
                    (who,),
                ).fetchall()
            )
        )
        return {image: at for image, at in found.items() if at and at != brought.get(image)}

    # ---- below ----------------------------------------------------------------------------

    def refresh(self) -> None:
        super().refresh()
        with self._acting:
            if not self.unsaved:  # else memory is ahead of the disk
                self._reviews = self._read(reviews.read_reviews)
                self._checks = self._read(reviews.read_checks)
                self._notes = self._read(reviews.read_notes)

    def _key(self, image: int, annotator: int | str) -> Key:
        self._index.rows([image])
        return int(image), self.annotator(annotator).id

    def _review(self, image: int, annotator: int) -> Review:
        return self._reviews.get((image, annotator), reviews.UNPAINTED)

    def _take(
        self, key: Key, review: Review, stroke: Stroke | None = None, *, keeps_check: bool = False
    ) -> Future[float]:
        """Queue a review, and a stroke with it; a check is taken back in the same transaction."""
        rows: list[Row] = [reviews.review_row(key, review)]
        clears = bool(self._checks.get(key)) and not keeps_check
        if clears:
            rows.append(reviews.check_row(key, "", key[1], review.at))
        height, width, _ = self.image_shape(key[0])
        saved = self._writing().submit(Change(tuple(rows), *key, stroke, (height, width)))
        self._reviews[key] = review
        if clears:
            self._checks[key] = ""
        return saved
