"""What a chart of stacked bars shows: groups of bars, bars of segments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Segment:
    """Some of a bar's images: what became of them, their ids, and a colour (#RRGGBB or a theme role)."""

    words: str
    ids: NDArray[np.int64]
    ink: str


@dataclass(frozen=True)
class Bar:
    """All images under one attack; ``interval`` (shares) is the first segment's, ``key`` the owner's."""

    words: str
    figures: str
    segments: tuple[Segment, ...]
    interval: tuple[float, float]
    key: object = None

    @property
    def images(self) -> int:
        """How many there are."""
        return sum(len(segment.ids) for segment in self.segments)


@dataclass(frozen=True)
class Group:
    """Bars under one heading; ``note`` stands at its right."""

    heading: str
    note: str
    bars: tuple[Bar, ...] = field(default=())
