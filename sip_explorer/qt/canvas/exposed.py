"""What of a view is painted at once, and what apart."""

from PySide6.QtCore import QRect
from PySide6.QtGui import QRegion

_SPARSE = 0.5  # share of its bounding rectangle below which an exposed region is painted in parts


def apart(exposed: QRegion) -> list[QRect]:
    """One rectangle around all, or several where they are far from each other: a dab and a late outline."""
    whole = exposed.boundingRect()
    parts = list(exposed)
    area = sum(part.width() * part.height() for part in parts)
    return parts if area < _SPARSE * whole.width() * whole.height() else [whole]
