"""The names of all images as one text, in which a word is found at once."""

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


class ImageTexts:
    """The names of images, in the order of their rows.

    Parameters
    ----------
    names : sequence of str
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        lines = "\n".join(name.replace("\n", " ") for name in names).casefold()
        text = f"{lines}\n".encode("utf-8", "replace")
        self._bytes = np.frombuffer(text, np.uint8)
        self._ends = np.flatnonzero(self._bytes == ord("\n")) if len(names) else np.zeros(0, np.int64)

    def having(self, word: str) -> NDArray[np.bool_]:
        """Return for every row whether its name has ``word`` in it, whatever the capitals."""
        found = np.zeros(len(self.names), bool)
        wanted = np.frombuffer(word.replace("\n", " ").casefold().encode("utf-8", "replace"), np.uint8)
        if not len(wanted):
            return ~found
        # Where the rarest of its letters stands, the rest is compared: 60,000 names take milliseconds.
        length = len(self._bytes) - len(wanted) + 1
        if length <= 0:
            return found
        places = np.flatnonzero(self._bytes[:length] == wanted[0])
        for offset, letter in enumerate(wanted[1:], 1):
            places = places[self._bytes[places + offset] == letter]
        found[np.searchsorted(self._ends, places)] = True
        return found

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """The place of every row among the sorted names; numbers in them count as numbers."""
        lines = "\n".join(name.replace("\n", " ") for name in self.names).casefold()
        keys = re.sub(r"\d+", lambda digits: digits[0].zfill(12), lines).split("\n")
        order = sorted(range(len(self.names)), key=keys.__getitem__)
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return ranks
