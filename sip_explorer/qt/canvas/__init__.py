"""The canvas on which salience is painted; it knows images and masks, and no workspace."""

from sip_explorer.qt.canvas.canvas import SalienceCanvas
from sip_explorer.qt.canvas.hand import FILLS, TOOLS
from sip_explorer.qt.canvas.picture import Picture

__all__ = ["FILLS", "TOOLS", "Picture", "SalienceCanvas"]
