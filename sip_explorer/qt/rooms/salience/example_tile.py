"""An accepted or refused example of the guideline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.image_view import ImagePanel
from sip_explorer.state.comparing import tinted

COLOURS = {"accepted": "#009E73", "refused": "#D55E00"}
_WORDS = {"accepted": "Accepted", "refused": "Refused"}


class ExampleTile(QWidget):
    """A small picture with its mask; verdict (word and drawing), caption, and a way to take it out.

    Signals
    -------
    removed()
        It is to be taken out.
    """

    removed = Signal()

    def __init__(self, verdict: str, caption: str, *, writable: bool) -> None:
        super().__init__()
        self._verdict = verdict
        self.panel = ImagePanel(caption_lines=0)
        self.panel.set_placeholder("…")
        self.mark = QLabel()
        self.words = QLabel(_WORDS[verdict])
        self.words.setProperty("role", "section")
        self.remove = QToolButton()
        self.remove.setToolTip("Take this example out; the mask stays")
        self.remove.setAccessibleName(f"Take out the {verdict} example {caption}".rstrip())
        self.remove.setVisible(writable)
        self.remove.clicked.connect(self.removed)
        self.caption = QLabel(caption)
        self.caption.setWordWrap(True)
        self.caption.setProperty("role", "muted")
        self.caption.setVisible(bool(caption))
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.mark)
        head.addWidget(self.words)
        head.addStretch(1)
        head.addWidget(self.remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.panel)
        layout.addLayout(head)
        layout.addWidget(self.caption)
        self.panel.setFixedHeight(9 * self.fontMetrics().height())
        theme.changed.connect(self._tint)
        self._tint()

    def show_picture(self, picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
        """Show the image, uint8 (h, w, C), with its mask, uint8 (h, w)."""
        self.panel.set_image(tinted(picture, mask, COLOURS[self._verdict]), mask)

    def _tint(self) -> None:
        side = QSize(*[self.fontMetrics().height()] * 2)
        drawing = "accept" if self._verdict == "accepted" else "refuse"
        role = theme.tokens.good if self._verdict == "accepted" else theme.tokens.bad
        self.mark.setPixmap(icon(drawing, role).pixmap(side))
        self.remove.setIcon(icon("close", theme.tokens.muted))
