"""Images read ahead in the disk thread, so that the next one shows at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event, SipError

if TYPE_CHECKING:
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import Workspace

LANE = "neighbours"
MEMORY = 768 << 20
"""Bytes of all that is kept: two images of 8,192 px, or eight of 4,096 px."""
_LEVELS = 4 / 3
"""Bytes per pixel of a picture halved again and again, four bytes a pixel."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Ready:
    """All that the canvas needs of an image.

    Attributes
    ----------
    pixels
        uint8 (H, W, C); not to be changed.
    picture
        What the face made of them.
    mask
        uint8 (H, W); cannot be written.
    """

    pixels: Pixels
    picture: Any
    mask: Pixels


class Prefetch:
    """Keeps pictures and masks of the images that are likely next.

    A mask is never stale: whatever records an edit of an image, or says that its masks changed,
    takes what was read of them away, and what was asked before and comes after is dropped. Another
    program may write a workspace that is open to read only, so there the mask is read when it is shown.

    Parameters
    ----------
    session : Session
    make : callable
        Pixels, uint8 (H, W, C) -> what the canvas draws, for an image that was not read ahead.
    make_ahead : callable
        The same in the disk thread: may do beforehand what would cost the first frame.
    memory : int
        Bytes that may be kept. Images beyond them are not read ahead.
    """

    def __init__(
        self,
        session: Session,
        make: Callable[[Pixels], Any],
        make_ahead: Callable[[Pixels], Any],
        *,
        memory: int = MEMORY,
    ) -> None:
        self._session = session
        self._make = make
        self._make_ahead = make_ahead
        self._memory = memory
        self._workspace: Workspace | None = None
        self._pictures: dict[int, tuple[Pixels, Any]] = {}
        self._masks: dict[tuple[int, str], Pixels] = {}
        self._versions: Counter[int] = Counter()
        session.painting.recorded.connect(self._mask_changed)
        session.painting.replaced.connect(self._mask_changed)

    def take(self, image: int, annotator: str) -> Ready:
        """Return an image as it is now, from memory or else from the disk.

        Raises
        ------
        SipError
            If no workspace is open, or the picture is gone or damaged.
        """
        workspace = self._current()
        if workspace is None:
            raise SipError("No workspace is open: open one first.")
        known = self._pictures.get(image)
        if known is None:
            pixels = workspace.image(image)
            known = self._pictures[image] = (pixels, self._make(pixels))
            self._make_room(workspace, image)
        mask = None if workspace.read_only else self._masks.get((image, annotator))
        if mask is None:
            mask = workspace.mask(image, annotator)
            mask.setflags(write=False)
        return Ready(*known, mask)

    def keep(self, image: int, annotator: str, mask: Pixels) -> None:
        """Take over the mask, uint8 (H, W), of an image that goes out of sight; nobody may change it."""
        if self._current() is not None and image in self._pictures:
            mask.setflags(write=False)
            self._masks[image, annotator] = mask

    def is_ready(self, image: int, annotator: str) -> bool:
        """Whether picture and mask are in memory."""
        return image in self._pictures and (image, annotator) in self._masks

    def ahead(self, shown: int, likely: Sequence[int], annotator: str) -> None:
        """Read the ``likely`` images, the likeliest first; of all others only ``shown`` is kept."""
        workspace = self._current()
        if workspace is None:
            return
        wanted = self._fitting(workspace, shown, likely)
        kept = {shown, *wanted}
        self._pictures = {i: known for i, known in self._pictures.items() if i in kept}
        self._masks = {
            key: mask for key, mask in self._masks.items() if key in {(i, annotator) for i in kept}
        }
        missing = [image for image in wanted if not self.is_ready(image, annotator)]
        if not missing:
            self._session.jobs.drop(LANE, on="disk")
            return
        pictures, versions = dict(self._pictures), {image: self._versions[image] for image in missing}

        def job(_token: CancelToken) -> Iterator[Event | None]:
            for image in missing:
                try:
                    known = pictures.pop(image, None)
                    if known is None:
                        pixels = workspace.image(image)
                        yield None
                        known = (pixels, self._make_ahead(pixels))
                        yield None
                    mask = workspace.mask(image, annotator)
                    mask.setflags(write=False)
                except SipError:
                    continue  # said when somebody wants to see it
                yield Artefact(LANE, data=(image, versions[image], known, mask))

        def take_over(event: Event) -> None:
            if isinstance(event, Artefact) and workspace is self._session.workspace:
                image, version, known, mask = event.data
                self._pictures.setdefault(image, known)
                if version == self._versions[image]:
                    self._masks[image, annotator] = mask

        self._session.jobs.ask(LANE, job, take_over, on="disk")

    def forget(self) -> None:
        """Drop everything: nothing is on show, or pictures lie elsewhere now."""
        self._session.jobs.drop(LANE, on="disk")
        self._pictures.clear()
        self._masks.clear()

    def _current(self) -> Workspace | None:
        """The open workspace; image ids of another one mean other images."""
        if self._workspace is not self._session.workspace:
            self.forget()
            self._workspace = self._session.workspace
        return self._workspace

    def _fitting(self, workspace: Workspace, shown: int, likely: Sequence[int]) -> list[int]:
        """The likely images that fit into memory beside the one on show."""
        left = self._memory - _cost(workspace, shown)
        wanted = []
        for image in dict.fromkeys(likely):
            cost = _cost(workspace, image)
            if image != shown and cost <= left:
                wanted.append(image)
                left -= cost
        return wanted

    def _make_room(self, workspace: Workspace, shown: int) -> None:
        """Let go of the pictures that were read first: images may change faster than `ahead` is called."""
        used = sum(_cost(workspace, image) for image in self._pictures)
        for image in [image for image in self._pictures if image != shown]:
            if used <= self._memory:
                return
            used -= _cost(workspace, image)
            del self._pictures[image]
            for key in [key for key in self._masks if key[0] == image]:
                del self._masks[key]

    def _mask_changed(self, image: int, *_: object) -> None:
        self._versions[image] += 1
        for key in [key for key in self._masks if key[0] == image]:
            del self._masks[key]


def _cost(workspace: Workspace, image: int) -> int:
    height, width, channels = workspace.image_shape(image)
    return round(height * width * (channels + _LEVELS + 1))
