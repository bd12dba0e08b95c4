"""What people painted in an open workspace: annotators, states, masks, strokes."""

import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from sip_explorer.records import SipError
from sip_explorer.workspace import annotators as people
from sip_explorer.workspace import masks
from sip_explorer.workspace.annotators import Annotator, Review
from sip_explorer.workspace.image_access import ImageAccess
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.masks import Mask, PatchLike, Stroke, StrokeRecord
from sip_explorer.workspace.writer import Change

_NOBODY = 0  # no row of the catalogue has this id


class MaskAccess(ImageAccess):
    """The part of `Workspace` about salience; may be used from any thread.

    An annotator is named by name or by id; to ask for the masks of one who is not there gives
    what an annotator who has painted nothing gives.
    """

    _annotators: list[Annotator]
    _reviews: dict[tuple[int, int], Review]

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._reviews = {}
        super().__init__(path, read_only=read_only)

    # ---- people and states ----------------------------------------------------------------

    def annotators(self) -> list[Annotator]:
        """Return everyone who paints here, in the order in which they came."""
        return list(self._annotators)

    def add_annotator(self, name: str) -> Annotator:
        """Add someone with a colour of their own; `SipError` if the name is empty or taken."""
        added = self._write(lambda connection: people.insert_annotator(connection, name))
        self._annotators.append(added)
        return added

    def states(self, ids: Ids, annotator: int | str) -> list[str]:
        """Return "unpainted", "painted", "empty" (on purpose) or "skipped" for each of ``ids``."""
        self._index.rows(ids)
        who = self._find(annotator)
        return [self._review(int(image), who).state for image in ids]

    def set_state(self, image: int, annotator: int | str, state: str) -> Future[float]:
        """Mark an image; the future gives the POSIX time at which that was on disk.

        Raises
        ------
        SipError
            If the mask contradicts the state ("empty" or "unpainted" with paint, "painted"
            without), the annotator is unknown, or the workspace is read-only.
        """
        with self._acting:
            who = self._known(annotator)
            self._index.rows([image])
            review = people.after_marking(self._review(int(image), who), state, int(image))
            return self._submit(int(image), who, review, None)

    # ---- masks ----------------------------------------------------------------------------

    def mask(self, image: int, annotator: int | str, *, last: int | None = None) -> Mask:
        """Return a copy of the mask, uint8 (H, W), strokes not yet on disk included.

        ``last``: only up to the stroke with this id (see `strokes`).
        """
        height, width, _ = self.image_shape(image)
        who = self._find(annotator)
        # First what waits, then what is kept: a stroke committed in between is applied twice,
        # which changes nothing; the other way round it could be missed.
        waiting = self._writer.pending(int(image), who) if self._writer and last is None else []
        mask, _ = self._read(lambda c: masks.read_mask(c, int(image), who, (height, width), last=last))
        for change in waiting:
            if change.stroke is not None:
                masks.apply(mask, change.stroke)
        return mask

    def painted_masks(self, ids: Ids, annotator: int | str) -> dict[int, Mask]:
        """Return image id -> mask of those painted or left empty on purpose (zeros)."""
        return {
            int(image): self.mask(int(image), annotator)
            for image, state in zip(ids, self.states(ids, annotator), strict=True)
            if state in ("painted", "empty")
        }

    def commit_stroke(self, image: int, annotator: int | str, patch: PatchLike, tool: str) -> Future[float]:
        """Queue a finished stroke; the future gives the POSIX time at which its commit had returned.

        Undo and redo are strokes too (tools "undo", "redo"). Never waits for the disk. A stroke
        that cannot be saved stays in memory and is tried again (`save_problem`).

        Raises
        ------
        SipError
            If the patch does not fit the image, the image or annotator is unknown, or the
            workspace is read-only.
        """
        with self._acting:
            who = self._known(annotator)
            stroke = _checked(patch, self.image_shape(image), int(image), tool)
            added = int(np.count_nonzero(stroke.new)) - int(np.count_nonzero(stroke.old))
            review = people.after_stroke(self._review(int(image), who), added)
            return self._submit(int(image), who, review, stroke)

    def strokes(self, image: int, annotator: int | str) -> list[StrokeRecord]:
        """Return the history of a mask as it is on disk, oldest stroke first."""
        who = self._find(annotator)
        return self._read(lambda c: masks.read_strokes(c, int(image), who))

    def stroke_counts(self, ids: Ids, annotator: int | str) -> dict[int, int]:
        """Return image id -> number of strokes on disk, for those that have any."""
        who = self._find(annotator)
        return self._read(lambda c: masks.count_strokes(c, [int(image) for image in ids], who))

    # ---- below ----------------------------------------------------------------------------

    def refresh(self) -> None:
        super().refresh()
        with self._acting:
            self._annotators = self._read(people.read_annotators)
            if not self.unsaved:  # else memory is ahead of the disk
                self._reviews = self._read(people.read_reviews)

    def _review(self, image: int, annotator: int) -> Review:
        return self._reviews.get((image, annotator), people.UNPAINTED)

    def _find(self, annotator: int | str) -> int:
        for known in self._annotators:
            if annotator in (known.id, known.name):
                return known.id
        return _NOBODY

    def _known(self, annotator: int | str) -> int:
        found = self._find(annotator)
        if found == _NOBODY:
            raise SipError(f"There is no annotator {annotator!r} in this workspace: add one first.")
        return found

    def _submit(self, image: int, annotator: int, review: Review, stroke: Stroke | None) -> Future[float]:
        height, width, _ = self.image_shape(image)
        at = time.time() if stroke is None else stroke.at
        change = Change(image, annotator, (height, width), review.state, review.pixels, at, stroke)
        saved = self._writing().submit(change)
        self._reviews[image, annotator] = review
        return saved


def _checked(patch: PatchLike, shape: tuple[int, int, int], image: int, tool: str) -> Stroke:
    """Return the patch as a stroke that shares no memory with it."""
    y0, x0, y1, x1 = (int(edge) for edge in patch.box)
    height, width, _ = shape
    if not (0 <= y0 < y1 <= height and 0 <= x0 < x1 <= width):
        raise SipError(
            f"A stroke over rows {y0} to {y1} and columns {x0} to {x1} does not fit image {image} "
            f"({width} x {height} pixels): paint inside the image."
        )
    old, new = (np.array(values, dtype=np.uint8) for values in (patch.old, patch.new))
    if old.shape != (y1 - y0, x1 - x0) or new.shape != old.shape:
        raise SipError(
            f"A mask of {new.shape} does not fit {y1 - y0} rows and {x1 - x0} columns of image {image}: "
            "resize it first."
        )
    return Stroke((y0, x0, y1, x1), old, new, tool, time.time())
