"""The names of a workspace's images, to be compared with those of files."""

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import PurePosixPath

_PACKED = re.compile(r"image (\d+)")
_ENDING = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,5}$")  # not what follows a dot in "Dr. Who"
_NUMBERED = re.compile(r"~\d+$")  # put behind a name where two images share it
_NUMBER = re.compile(r"(?:image[ _-])?0*(\d+)")


class KnownNames:
    """Whether a file is named as one of these images is, endings and capitals apart.

    Parameters
    ----------
    names : iterable of str
        As people call the images: names of files with or without folders, or ``image 12``.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = names

    @cached_property
    def _known(self) -> tuple[set[str], set[str]]:
        """The stems of files, and the numbers of packed images; read when they are first asked for."""
        stems: set[str] = set()
        numbers: set[str] = set()
        for name in self._names:
            packed = _PACKED.fullmatch(name)
            if packed is not None:
                numbers.add(packed[1])
            else:
                stems.add(_stem(name))
        return stems, numbers

    def __call__(self, name: str) -> bool:
        return self.by_name(name) or any(
            (number := _NUMBER.fullmatch(spelling)) is not None and number[1] in self._known[1]
            for spelling in _spellings(name)
        )

    def by_name(self, name: str) -> bool:
        """Whether it is so named by more than a number, as files of any set may be."""
        return any(spelling in self._known[0] for spelling in _spellings(name))


def _spellings(name: str) -> set[str]:
    stem = _stem(name)
    return {stem, _ENDING.sub("", stem)}  # photo.jpg.png is a mask of photo.jpg


def _stem(name: str) -> str:
    return _NUMBERED.sub("", _ENDING.sub("", PurePosixPath(name.replace("\\", "/")).name)).casefold()
