"""The canvas on which salience is painted; it knows images and masks, and no workspace."""

from sip_explorer.qt.canvas.canvas import SalienceCanvas
from sip_explorer.qt.canvas.keys import KEYS

__all__ = ["KEYS", "SalienceCanvas"]
