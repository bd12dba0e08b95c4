"""What the film strip shows of each listed image, and how many are done: a change costs no recount."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from sip_explorer.state.session import Session

MARKS = ("unpainted", "painted", "empty", "skipped", "checked", "disputed")


class Marks:
    """Keeps one of `MARKS` for every image of the selection, for the annotator who is selected.

    They are read once for each list of images; of 60,000 images a change touches one.

    Signals
    -------
    renewed()
        Other images are listed, or somebody else paints: read ``of`` anew.
    changed(int, str)
        One image has another mark.

    Attributes
    ----------
    of : dict of int -> str
        Image id -> mark.
    counts : Counter of str
        How many images have each mark.
    """

    renewed = Signal()
    changed = Signal(int, str)

    def __init__(self, session: Session) -> None:
        self._session = session
        self.blind = False
        self.of: dict[int, str] = {}
        self.counts: Counter[str] = Counter()
        session.selection.images_changed.connect(self.renew)
        session.selection.annotator_changed.connect(self.renew)
        session.masks_changed.connect(self.look_at)
        self.renew()

    @property
    def done(self) -> int:
        """How many images were looked at: painted, left empty on purpose, or skipped."""
        return len(self.of) - self.counts["unpainted"]

    def renew(self, *_: object) -> None:
        """Read the marks of all listed images anew."""
        images = self._session.selection.images
        self.of = dict(zip(images, self.read(images), strict=True))
        self.counts = Counter(self.of.values())
        self.renewed.emit()

    def look_at(self, image: int) -> None:
        """Read the mark of one image anew."""
        before = self.of.get(image)
        if before is None:
            return
        (mark,) = self.read((image,))
        if mark != before:
            self.of[image] = mark
            self.counts[before] -= 1
            self.counts[mark] += 1
            self.changed.emit(image, mark)

    def read(self, images: tuple[int, ...]) -> list[str]:
        """Return the marks of any images; in blind mode nobody's dispute shows."""
        session = self._session
        if session.workspace is None or not images:
            return ["unpainted"] * len(images)
        workspace, who = session.workspace, session.selection.annotator
        marks = workspace.dots(images, who)
        if self.blind and "disputed" in marks:
            states = workspace.states(images, who)
            marks = [s if m == "disputed" else m for m, s in zip(marks, states, strict=True)]
        return marks
