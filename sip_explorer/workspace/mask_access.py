"""What people painted in an open workspace: masks and strokes."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import numpy as np

from sip_explorer.records import SipError
from sip_explorer.workspace import masks, reviews
from sip_explorer.workspace.changes import Change, with_waiting
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.masks import Mask, PatchLike, Stroke, StrokeRecord
from sip_explorer.workspace.people_access import NOBODY
from sip_explorer.workspace.review_access import ReviewAccess
from sip_explorer.workspace.reviews import Key

_AT_ONCE, _BYTES = 256, 64 << 20  # images and bytes of masks that `all_masks` reads in one go


class MaskAccess(ReviewAccess):
    """The part of `Workspace` about masks; may be used from any thread.

    To ask for the masks of an annotator who is not there gives what one who has painted nothing
    gives.
    """

    def mask(self, image: int, annotator: int | str, *, last: int | None = None) -> Mask:
        """Return a copy of the mask, uint8 (H, W), strokes not yet on disk included.

        ``last``: only up to the stroke with this id (see `strokes`).
        """
        height, width, _ = self.image_shape(image)
        who = self._find(annotator)
        # First what waits, then what is kept: the other way round, what is committed in between is missed.
        waiting = self._writer.pending(int(image), who) if self._writer and last is None else []
        read = self._read(lambda c: masks.read_mask(c, int(image), who, (height, width), last=last))
        return with_waiting(*read, waiting)

    def painted_masks(self, ids: Ids, annotator: int | str) -> dict[int, Mask]:
        """Return image id -> mask of those painted or left empty on purpose (zeros)."""
        found = self.all_masks(ids, [annotator])
        return {image: mask for image, by_painter in found for mask in by_painter.values()}

    def all_masks(self, ids: Ids, annotators: Sequence[int | str]) -> Iterator[tuple[int, dict[int, Mask]]]:
        """Yield each of ``ids`` with annotator id -> mask of those who painted it or left it empty.

        Reads many masks with few questions, up to 64 MB of them at a time.
        """
        who = [found for found in map(self._find, annotators) if found != NOBODY]
        batch: list[tuple[int, tuple[int, int]]] = []
        size = 0
        for image, (height, width, _) in zip(ids, self.image_shapes(ids).tolist(), strict=True):
            batch.append((int(image), (height, width)))
            size += height * width * len(who)
            if size >= _BYTES or len(batch) == _AT_ONCE:
                yield from self._masks_of(batch, who)
                batch, size = [], 0
        yield from self._masks_of(batch, who)

    def _masks_of(
        self, images: Sequence[tuple[int, tuple[int, int]]], who: Sequence[int]
    ) -> Iterator[tuple[int, dict[int, Mask]]]:
        wanted = {
            (image, painter): shape
            for image, shape in images
            for painter in who
            if self._review(image, painter).state in ("painted", "empty")
        }
        waiting: dict[Key, list[Change]] = {key: [] for key in wanted}
        for change in self._writer.pending() if self._writer else ():
            waiting.get((change.image, change.annotator), []).append(change)
        found = self._read(lambda c: masks.read_masks(c, wanted))
        for image, _ in images:
            keys = [(image, painter) for painter in who if (image, painter) in found]
            yield image, {key[1]: with_waiting(*found[key], waiting[key]) for key in keys}

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
            key = self._key(image, annotator)
            stroke = _checked(patch, self.image_shape(image), int(image), tool)
            added = int(np.count_nonzero(stroke.new)) - int(np.count_nonzero(stroke.old))
            return self._take(key, reviews.after_stroke(self._review(*key), added, stroke.at), stroke)

    def strokes(self, image: int, annotator: int | str) -> list[StrokeRecord]:
        """Return the history of a mask as it is on disk, oldest stroke first."""
        who = self._find(annotator)
        return self._read(lambda c: masks.read_strokes(c, int(image), who))

    def stroke_counts(self, ids: Ids, annotator: int | str) -> dict[int, int]:
        """Return image id -> number of strokes on disk, for those that have any."""
        who = self._find(annotator)
        return self._read(lambda c: masks.count_strokes(c, [int(image) for image in ids], who))


def _checked(patch: PatchLike, shape: tuple[int, int, int], image: int, tool: str) -> Stroke:
    """Return the patch as a stroke whose pixels nobody else can change."""
    y0, x0, y1, x1 = (int(edge) for edge in patch.box)
    height, width, _ = shape
    if not (0 <= y0 < y1 <= height and 0 <= x0 < x1 <= width):
        raise SipError(
            f"A stroke over rows {y0} to {y1} and columns {x0} to {x1} does not fit image {image} "
            f"({width} x {height} pixels): paint inside the image."
        )
    old, new = (_kept(values) for values in (patch.old, patch.new))
    if old.shape != (y1 - y0, x1 - x0) or new.shape != old.shape:
        raise SipError(
            f"A mask of {new.shape} does not fit {y1 - y0} rows and {x1 - x0} columns of image {image}: "
            "resize it first."
        )
    return Stroke((y0, x0, y1, x1), old, new, tool, time.time())


def _kept(values: Mask) -> Mask:
    """Return ``values`` as they are where nobody can change them (16 MB each at 4096 px), else a copy."""
    pixels = np.asarray(values)
    if pixels.dtype == np.uint8 and pixels.base is None and not pixels.flags.writeable:
        return pixels
    return np.array(pixels, dtype=np.uint8)
