"""Which run of which image is next under Auto-PGD, and which run's word counts."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class _Course:
    """One image on its way: runs below ``ahead`` were handed out, ``active`` ones are under way."""

    ahead: int = 0
    active: set[int] = field(default_factory=set)
    broken_by: int | None = None


class RunQueue:
    """Hands out runs (image, run), and keeps the verdict: the first run, in their order, that breaks.

    A run is handed out once all earlier ones of its image have failed. Only where nothing of that kind
    is left do later runs begin beside the earlier ones, so that no row of the batch is idle; what they
    find counts only if the earlier ones fail. So the verdict is that of one run after another.

    Parameters
    ----------
    images
        Places of the images in the call.
    runs
        How many runs an image has, at least 1.
    """

    def __init__(self, images: Iterable[int], runs: int) -> None:
        self._runs = runs
        self._sure = deque(images)
        self._open = {image: _Course() for image in self._sure}
        self.finished = 0
        self.broken = 0

    def next(self) -> tuple[int, int] | None:
        """Return the next run to begin, None while there is none."""
        if self._sure:
            image = self._sure.popleft()
        else:
            ahead = [
                (course.ahead, image)
                for image, course in self._open.items()
                if course.broken_by is None and course.ahead < self._runs
            ]
            if not ahead:
                return None
            image = min(ahead)[1]
        course = self._open[image]
        course.active.add(course.ahead)
        course.ahead += 1
        return image, course.ahead - 1

    def broken_by(self, image: int) -> int | None:
        """Return the first run so far that broke an image whose verdict is open."""
        return self._open[image].broken_by

    def over(self, image: int, run: int, *, broke: bool) -> list[int]:
        """Take in that a run is over; return the later runs of its image that are now of no use."""
        course = self._open[image]
        course.active.remove(run)
        useless: list[int] = []
        if broke and (course.broken_by is None or run < course.broken_by):
            course.broken_by = run
            useless = [other for other in course.active if other > run]
            course.active.difference_update(useless)
        return useless

    def settle(self, image: int) -> None:
        """Close the image's course if its verdict is certain, or let its next run begin."""
        course = self._open.get(image)
        if course is None or course.active:
            return
        if course.broken_by is None and course.ahead < self._runs:
            self._sure.append(image)
            return
        self.finished += 1
        self.broken += course.broken_by is not None
        del self._open[image]
