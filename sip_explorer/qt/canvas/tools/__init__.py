"""The tools of the canvas: one file each, all of them gestures."""

from sip_explorer.qt.canvas.tools.box import BoxShape
from sip_explorer.qt.canvas.tools.encircle import Encircle
from sip_explorer.qt.canvas.tools.fill import Fill
from sip_explorer.qt.canvas.tools.gesture import Gesture, Ground, Touch
from sip_explorer.qt.canvas.tools.polygon import Polygon
from sip_explorer.qt.canvas.tools.shape import Lasso
from sip_explorer.qt.canvas.tools.stroke import Stroke
from sip_explorer.qt.canvas.tools.superpixel import SuperpixelBrush

GESTURES: dict[str, type[Gesture]] = {
    "brush": Stroke,
    "eraser": Stroke,
    "polygon": Polygon,
    "lasso": Lasso,
    "box": BoxShape,
    "fill": Fill,
    "encircle": Encircle,
    "superpixel": SuperpixelBrush,
}
"""How each tool begins."""

__all__ = ["GESTURES", "Gesture", "Ground", "Touch"]
