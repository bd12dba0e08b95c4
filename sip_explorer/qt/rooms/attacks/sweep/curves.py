"""Draws a sweep's results into plots, and knows which cell lies behind which point."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from sip_explorer.qt.rooms.attacks.sweep.results import Place, Point
from sip_explorer.qt.theme import SERIES
from sip_explorer.qt.widgets.curve_plot import CurvePlot

CLEAN = "clean"
"""Name of the dashed level of the error without any attack."""


class SweepCurves:
    """One plot of points: a drawing is begun, filled with lines and ended; what it lacks goes away."""

    def __init__(self, plot: CurvePlot, x_of: str) -> None:
        self.plot = plot
        self._x_of = x_of  # the field of a place that runs along x
        self._behind: dict[tuple[str, float], Place] = {}
        self._kept: set[str] = set()

    def begin(self) -> None:
        """Begin a drawing."""
        self._behind.clear()
        self._kept.clear()
        self.plot.hold()

    def line(
        self,
        name: str,
        points: Sequence[Point],
        number: int,
        *,
        dashed: bool = False,
        gradients: bool = False,
    ) -> None:
        """Draw success with its interval, or the share of missing gradients; ``number`` is the colour."""
        if not points:
            return
        x = [float(getattr(point.place, self._x_of)) for point in points]
        self._kept.add(name)
        self._behind.update({(name, at): point.place for at, point in zip(x, points, strict=True)})
        banded = not (dashed or gradients)
        self.plot.set_curve(
            name,
            x,
            [p.zero_gradient if gradients else p.success for p in points],
            low=[p.low for p in points] if banded else None,
            high=[p.high for p in points] if banded else None,
            colour=SERIES[number % len(SERIES)],
            dashed=dashed,
            points=True,
        )

    def level(self, share: float | None, x: Sequence[float]) -> None:
        """Draw the clean error as a dashed level."""
        if share is not None and len(x):
            self._kept.add(CLEAN)
            ends = [float(x[0]), float(x[-1])]
            self.plot.set_curve(CLEAN, ends, [share, share], colour=SERIES[6], dashed=True)

    def end(self) -> None:
        """Take away what was not drawn this time."""
        for name in self.plot.names:
            if name not in self._kept:
                self.plot.remove_curve(name)
        self.plot.release()

    def place(self, name: str, x: float) -> Place | None:
        """Return the cell behind a point."""
        return self._behind.get((name, x))


def together(
    items: Sequence[tuple[str, Sequence[Point]]], everything: str, prefix: str = "", *, some: bool = True
) -> list[tuple[str, Sequence[Point], int]]:
    """Join lines that cover each other under one name; return (name, points, colour number).

    ``everything`` is the name where all lines are one; ``prefix`` stands once before joined names;
    without ``some`` lines are joined only where all of them cover each other.
    """
    groups: dict[Hashable, list[int]] = {}
    for number, (_, points) in enumerate(items):
        if points:
            groups.setdefault(tuple(point.figures for point in points), []).append(number)
    if not some and len(groups) > 1:
        return [(name, points, number) for number, (name, points) in enumerate(items)]
    joined = []
    for members in groups.values():
        names = [items[number][0] for number in members]
        if len(members) == len(items) > 1:
            name = everything
        else:
            name = names[0] + "".join(f", {name.removeprefix(prefix)}" for name in names[1:])
        joined.append((name, items[members[0]][1], members[0]))
    return joined
