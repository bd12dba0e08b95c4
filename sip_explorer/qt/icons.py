"""Line icons drawn from SVG paths in the colour of the text around them."""

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_INK = "{ink}"
# 24 x 24, stroked, our own drawings; `_INK` where an area is filled.
_PATHS = {
    "library": '<rect x="3.5" y="8.5" width="13" height="11.5" rx="1.5"/><circle cx="12.5" cy="12" r="1.1"/>'
    '<path d="M7.5 5.2V5A1.5 1.5 0 019 3.5h10a1.5 1.5 0 011.5 1.5v9a1.5 1.5 0 01-1 1.4"/>'
    '<path d="M4 17.5l3.6-3.7 3 3 2-1.8 3.6 3.3"/>',
    "find": '<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5"/>',
    "ascending": '<path d="M12 20V4M6.5 9.5L12 4l5.5 5.5"/>',
    "descending": '<path d="M12 4v16M6.5 14.5L12 20l5.5-5.5"/>',
    "salience": '<path d="M4 20c3 0 4-1 4-3.5S10 13 12 15s-1 5-4 5zM12.5 13.5L20 4"/>',
    "training": '<path d="M4 4v16h16M7 16c3-9 5 1 7-5s3-5 5-5"/>',
    "attacks": '<path d="M13 3L6 13h5l-1 8 8-11h-5.5z"/>',
    "prototypes": '<rect x="4" y="4" width="6.5" height="6.5" rx="1"/>'
    '<rect x="13.5" y="4" width="6.5" height="6.5" rx="1"/>'
    '<rect x="4" y="13.5" width="6.5" height="6.5" rx="1"/><circle cx="16.75" cy="16.75" r="3.25"/>',
    "brush": '<path d="M4 20c3 0 4-1 4-3.5S10 13 12 15s-1 5-4 5zM12.5 13.5L20 4"/>',
    "eraser": '<path d="M8 20h12M5 15l8.5-9.5 5.5 5L11 20H8z"/>',
    "polygon": '<path d="M12 4l7.5 5.5-3 9.5h-9l-3-9.5z"/><circle cx="12" cy="4" r="1.6"/>'
    '<circle cx="19.5" cy="9.5" r="1.6"/><circle cx="4.5" cy="9.5" r="1.6"/>',
    "lasso": '<path d="M7.5 15.5C4.5 14.5 3 12.8 3 10.5 3 7 7 4.5 12 4.5s9 2.5 9 6-4 6-9 6l-2.5-.2"/>'
    '<circle cx="8" cy="16.5" r="1.7"/><path d="M8.5 18c.5 1.5-.3 2.7-1.8 3"/>',
    "box": '<path d="M4 8V5.5A1.5 1.5 0 015.5 4H8M16 4h2.5A1.5 1.5 0 0120 5.5V8"/>'
    '<path d="M20 16v2.5a1.5 1.5 0 01-1.5 1.5H16M8 20H5.5A1.5 1.5 0 014 18.5V16"/>'
    '<path d="M11 4h2M11 20h2M4 11v2M20 11v2"/>',
    "fill": '<path d="M9.5 4l8.5 8.5-6.3 6.3a1.5 1.5 0 01-2.1 0l-5.4-5.4a1.5 1.5 0 010-2.1L11 5"/>'
    '<path d="M4 12.5h14M20 15c1.3 1.8 2 2.9 2 3.9a2 2 0 11-4 0c0-1 .7-2.1 2-3.9z"/>',
    "encircle": '<circle cx="12" cy="12" r="8.5"/><circle cx="12" cy="12" r="4" fill="{ink}"/>',
    "superpixel": '<path d="M4 4h16v16H4zM4 10l5-1 2-5M9 9l5 3 6-3M14 12l-2 4-8-1M12 16l2 4"/>',
    "pan": '<path d="M12 3v18M3 12h18M9.5 5.5L12 3l2.5 2.5M9.5 18.5L12 21l2.5-2.5"/>'
    '<path d="M5.5 9.5L3 12l2.5 2.5M18.5 9.5L21 12l-2.5 2.5"/>',
    "fit": '<path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/>',
    "undo": '<path d="M8 5L4 9l4 4M4 9h10a5 5 0 010 10h-4"/>',
    "redo": '<path d="M16 5l4 4-4 4M20 9H10a5 5 0 000 10h4"/>',
    "clear": '<path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"/>',
    "previous": '<path d="M15 5l-7 7 7 7"/>',
    "next": '<path d="M9 5l7 7-7 7"/>',
    "proposal": '<path d="M12 3l1.8 5.2L19 10l-5.2 1.8L12 17l-1.8-5.2L5 10l5.2-1.8zM18 16v5M15.5 18.5h5"/>',
    "accept": '<path d="M4 12.5l5 5L20 6.5"/>',
    "refuse": '<path d="M6 6l12 12M18 6L6 18"/>',
    "reset": '<path d="M5 5v5h5M5.5 10A7.5 7.5 0 1 1 4.5 14"/>',
    "fold": '<path d="M6 9l6 6 6-6"/>',
    "unfold": '<path d="M9 6l6 6-6 6"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "stop": '<rect x="6" y="6" width="12" height="12" rx="1.5"/>',
    "empty": '<rect x="4" y="4" width="16" height="16" rx="2"/><path d="M5 19L19 5"/>',
    "skip": '<path d="M5 5l8 7-8 7zM17 5v14"/>',
}


@cache
def icon(name: str, colour: str, active: str | None = None) -> QIcon:
    """Return an icon in ``colour``; checked buttons show it in ``active`` (default: the same).

    Drawn once: fifteen pixmaps at every event of a job would cost a frame.
    """
    result = QIcon()
    for pixels in (16, 24, 32, 48, 64):
        result.addPixmap(_pixmap(name, colour, pixels), QIcon.Mode.Normal, QIcon.State.Off)
        result.addPixmap(_pixmap(name, active or colour, pixels), QIcon.Mode.Normal, QIcon.State.On)
        faded = QColor(colour)
        faded.setAlphaF(0.4)
        result.addPixmap(_pixmap(name, faded.name(QColor.NameFormat.HexArgb), pixels), QIcon.Mode.Disabled)
    return result


def icon_names() -> tuple[str, ...]:
    """Return the names that `icon` knows."""
    return tuple(_PATHS)


def _pixmap(name: str, colour: str, pixels: int) -> QPixmap:
    ink = QColor(colour)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" '
        f'stroke="{ink.name()}" stroke-opacity="{ink.alphaF():.2f}" stroke-width="1.7" '
        f'stroke-linecap="round" stroke-linejoin="round">{_PATHS[name].replace(_INK, ink.name())}</svg>'
    )
    pixmap = QPixmap(QSize(pixels, pixels))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    return pixmap
