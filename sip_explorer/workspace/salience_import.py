"""Masks that were made elsewhere, into the workspace."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.salience import PROTECTED, Patch
from sip_explorer.salience.exchange import (
    Skipped,
    is_hard,
)
from sip_explorer.workspace.annotators import ADJUDICATED, ANSWERS, NAMES
from sip_explorer.workspace.pictures import resize
from sip_explorer.workspace.salience_matching import (
    Matched,
    Paths,
    counted,
    known_annotator,
    matched_masks,
    unknown_names,
)
from sip_explorer.workspace.workspace import Workspace

_BREATH_SECONDS = 0.03
_NAMED = 20  # so many faults are named one by one, the rest is counted
_AHEAD_BYTES = 64 << 20  # of strokes on their way to the disk
_AHEAD = 64  # strokes on their way to the disk

Commit = Callable[[int, str, Patch, str], Future[float]]


@dataclass(frozen=True, eq=False)
class ImportedStroke:
    """What an import did to one mask; comes as ``Artefact("stroke", data=...)``.

    ``patch`` is None where the image was only marked as empty on purpose.
    """

    image: int
    annotator: str
    patch: Patch | None


def import_salience(
    workspace: Workspace,
    path: Paths,
    *,
    format: str | None = None,
    annotator: str | None = None,
    on_size: str = "refuse",
    on_painted: str = "keep",
    expected: int = 0,
    commit: Commit | None = None,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Read masks and commit each as a stroke (tool "import"); what is bad is named and left out.

    A mask of zeros marks an image as empty on purpose.

    Parameters
    ----------
    path
        A file or folder, or several.
    format
        A key of `exchange.FORMATS`; None: recognised.
    annotator
        Whose masks they become, added if new; None: as the file says.
    on_size
        For masks of another size than their image: "refuse", or "resize" (bilinear; a mask of 0
        and 255 alone stays one, by a threshold at 128).
    on_painted
        Where the annotator has painted the image, or left it empty, already: "keep" that, or put a
        "new-stroke" on top, which the history of the mask shows and can take back.
    expected
        How many masks there are, for the progress; 0 where it is not known.
    commit
        Paints: image, annotator's name, patch, tool -> a future that is done when that is; None:
        `Workspace.commit_stroke`.

    Yields
    ------
    Progress, Notice, Artefact("stroke", data=ImportedStroke) for each mask that changed; at the end,
    when all is on disk, Finished whose summary has ``masks``, ``empty``, ``kept``, ``skipped``,
    ``unknown``.

    Raises
    ------
    SipError
        If nothing can be written, the path is of no known format, or a mask names no annotator and
        none was chosen.
    """
    token = token or CancelToken()
    if on_size not in ("refuse", "resize"):
        raise SipError(f"{on_size!r} is no way with masks of another size: choose refuse or resize.")
    if on_painted not in ("keep", "new-stroke"):
        raise SipError(f"{on_painted!r} is no way with painted images: choose keep or new-stroke.")
    if workspace.read_only:
        raise SipError(f"{workspace.lock_holder.rstrip('.')}: masks cannot be imported.")
    yield Started("import salience", expected or None)
    act = _Import(workspace, on_size, on_painted, commit or workspace.commit_stroke)
    breath = time.monotonic()
    for item in matched_masks(workspace, path, format, annotator, act.unknown, named=True):
        token.check()
        if token.stopping:
            break
        if isinstance(item, Skipped):
            yield from act.skip(item.sentence)
        elif isinstance(item, Matched):
            yield from act.take(item, token)
            yield from act.wait(_AHEAD_BYTES, token)
        if time.monotonic() - breath > _BREATH_SECONDS:
            breath = time.monotonic()
            yield Progress(act.done, max(act.done, expected) if expected else 0, "masks")
    yield from act.wait(0, token)
    yield from act.last_words()
    yield Progress(act.done, act.done, "masks")
    yield Finished("stopped" if token.stopping else "completed", act.summary())


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A change on its way to the disk, and what it was counted as."""

    saved: Future[float]
    size: int
    source: str
    counted: str


class _Import:
    """What has been done so far."""

    def __init__(self, workspace: Workspace, on_size: str, on_painted: str, commit: Commit) -> None:
        self.unknown: list[str] = []
        self.done = 0
        self._workspace = workspace
        self._commit = commit
        self._resize = on_size == "resize"
        self._keep = on_painted == "keep"
        self._names: dict[str, str] = {}
        self._counts = {"masks": 0, "empty": 0, "kept": 0, "skipped": 0}
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0  # of those
        self._problem = ""

    def take(self, item: Matched, token: CancelToken) -> Iterator[Event | None]:
        """Paint one mask."""
        self.done += 1
        workspace, image = self._workspace, item.image
        height, width, _ = workspace.image_shape(image)
        mask = item.mask
        if mask.shape != (height, width):
            if not self._resize:
                yield from self.skip(
                    f"{item.source} is {mask.shape[1]} x {mask.shape[0]} pixels, its image {width} x "
                    f"{height}: it was left out; allow resizing, or make it the size of the image."
                )
                return
            mask = fitted(mask, height, width)
        try:
            who = self._annotator(item.annotator)
            state = workspace.states([image], who)[0]
            if self._keep and state in ("painted", "empty"):
                self._counts["kept"] += 1
                return
            patch = Patch.between(workspace.mask(image, who), mask)
            if patch is not None:
                saved = self._commit(image, who, patch, "import")
                self._expect(saved, patch.nbytes, item.source, "masks" if mask.any() else "")
            if not mask.any():
                yield from self.wait(0, token)  # a mark that contradicts the mask is refused
                if workspace.states([image], who)[0] != "empty":
                    saved = workspace.set_state(image, who, "empty", at=0.0)  # when it was made is not known
                    self._expect(saved, 0, item.source, "empty")
        except SipError as error:
            yield from self.skip(f"{item.source} was left out: {error}")
            return
        if patch is not None or not mask.any():
            yield Artefact("stroke", data=ImportedStroke(image, who, patch))

    def skip(self, sentence: str) -> Iterator[Event]:
        """Leave something out; the first ones are named."""
        self._counts["skipped"] += 1
        if self._counts["skipped"] <= _NAMED:
            yield Notice(sentence)

    def wait(self, ahead: int, token: CancelToken) -> Iterator[Event | None]:
        """Wait until at most ``ahead`` bytes are on their way to the disk; say so where it refuses them."""
        while self._waiting and (self._waiting[0].saved.done() or not ahead or self._bytes > ahead):
            first = self._waiting[0]
            try:
                first.saved.result(_BREATH_SECONDS)
            except TimeoutError:
                yield from self._breathe(token)
                continue
            except SipError as error:  # the workspace was closed, or the image painted meanwhile
                if first.counted:
                    self._counts[first.counted] -= 1
                yield from self.skip(f"{first.source} was left out: {error}")
            self._bytes -= first.size
            self._waiting.popleft()
        while self._workspace.unsaved > (_AHEAD if ahead else 0):
            time.sleep(_BREATH_SECONDS)
            yield from self._breathe(token)

    def _breathe(self, token: CancelToken) -> Iterator[Event | None]:
        token.check()
        problem = self._workspace.save_problem
        if problem and not self._problem:
            yield Notice(problem)
        self._problem = problem
        yield None

    def _expect(self, saved: Future[float], size: int, source: str, counted: str) -> None:
        self._waiting.append(_Waiting(saved, size, source, counted))
        self._bytes += size
        if counted:
            self._counts[counted] += 1

    def last_words(self) -> Iterator[Event]:
        """Say what was left out."""
        more = self._counts["skipped"] - _NAMED
        if more > 0:
            yield Notice(f"{more:,} more were left out for reasons like these.")
        unknown = self.unknown
        if unknown:
            yield Notice(unknown_names(unknown, self._workspace.name))
        if self._counts["kept"]:
            yield Notice(
                f"{counted(self._counts['kept'], 'image')} had been painted already and kept what was there: "
                "allow overwriting to put the masks on top."
            )

    def summary(self) -> dict[str, int]:
        return {**self._counts, "unknown": len(self.unknown)}

    def _annotator(self, name: str) -> str:
        """Return the annotator as the catalogue spells the name, added where it is new."""
        if name not in self._names:
            known = known_annotator(self._workspace, name)
            if known is None:
                kinds = {
                    NAMES[ADJUDICATED]: self._workspace.adjudicated,
                    NAMES[ANSWERS]: self._workspace.answers,
                }
                add = kinds.get(name)
                known = add().name if add is not None else self._workspace.add_annotator(name).name
            self._names[name] = known
        return self._names[name]


def import_words(counts: Mapping[str, int]) -> str:
    """Return one sentence on a finished import, from its summary."""
    words = [f"{counted(counts['masks'], 'mask')} imported"]
    if counts["empty"]:
        words.append(f"{counted(counts['empty'], 'image')} marked empty on purpose")
    if counts["kept"]:
        words.append(f"{counts['kept']:,} kept as they were")
    left_out = counts["skipped"] + counts["unknown"]
    if left_out:
        words.append(f"{left_out:,} left out")
    return f"{', '.join(words)}."


def fitted(mask: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return a mask at another size: bilinear; one of 0 and 255 alone stays hard, cut at 128."""
    scaled = resize(mask, (height, width))
    if is_hard(mask):
        scaled = np.where(scaled >= PROTECTED, 255, 0).astype(np.uint8)
    return scaled
