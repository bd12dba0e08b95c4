"""A canvas on the screen, and a hand for it."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def canvas(qtbot):
    """A canvas with a grey image of 300 x 200 pixels; what it announces is in ``seen``."""
    from sip_explorer.qt.canvas import SalienceCanvas

    widget = SalienceCanvas()
    qtbot.addWidget(widget)
    widget.resize(416, 316)
    widget.show()
    qtbot.waitExposed(widget)
    widget.set_image(np.full((200, 300, 3), 90, np.uint8))
    widget.set_brush_radius(5)
    widget.caption.stop()
    widget.seen = []
    widget.strokeFinished.connect(lambda patch, tool: widget.seen.append((patch, tool)))
    return widget
