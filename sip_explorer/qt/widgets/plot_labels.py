"""Words in plots: where they stand so that none covers another, and in which ink they can be read."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QColor

CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: the least contrast of text."""


def spread(wanted: Sequence[float], height: float, low: float, high: float) -> list[float]:
    """Return places between ``low`` and ``high``, near ``wanted`` and ``height`` apart, in its order.

    Where they do not all fit they stand evenly over the whole range.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    room = high - low
    if len(order) > 1 and height * (len(order) - 1) > room:
        height = room / (len(order) - 1)
    places = [0.0] * len(order)
    least = low
    for index in order:
        places[index] = max(wanted[index], least)
        least = places[index] + height
    most = high
    for index in reversed(order):
        places[index] = min(places[index], most)
        most = places[index] - height
    return places


def sparse(places: Sequence[float], widths: Sequence[float], gap: float) -> list[int]:
    """Return which of the ascending ``places`` can carry words of ``widths`` without touching.

    The first and the last one come first; all in the same unit.
    """
    if not places:
        return []
    last = len(places) - 1
    end = places[last] - widths[last] / 2 - gap
    kept, right = [0], places[0] + widths[0] / 2 + gap
    for index in range(1, last):
        if places[index] - widths[index] / 2 >= right and places[index] + widths[index] / 2 <= end:
            kept.append(index)
            right = places[index] + widths[index] / 2 + gap
    if last > 0 and places[last] - widths[last] / 2 >= right - gap:
        kept.append(last)
    return kept


def readable(ink: QColor, ground: QColor) -> QColor:
    """Return ``ink``, darkened or lightened until text in it stands out from ``ground``."""
    dark_ground = _luminance(ground) < 0.18
    for _ in range(24):
        bright, dim = sorted((_luminance(ink), _luminance(ground)), reverse=True)
        if (bright + 0.05) / (dim + 0.05) >= CONTRAST:
            break
        ink = ink.lighter(108) if dark_ground else ink.darker(108)
    return ink


def _luminance(colour: QColor) -> float:
    parts = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
