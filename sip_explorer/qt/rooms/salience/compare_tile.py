"""One person's mask, or one merge, over the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.image_view import ImagePanel
from sip_explorer.state.comparing import Opinion, tinted

_STATES = {"empty": "nothing salient", "skipped": "skipped"}
_VERDICTS = {"checked": "checked", "disputed": "disputed"}


class CompareTile(QWidget):
    """A stripe in the person's colour, the picture, a caption, and what can be done with it.

    Signals
    -------
    taken()
        It is to be the agreed mask.
    judged(str)
        "checked", "disputed", or "" where that is taken back.
    """

    taken = Signal()
    judged = Signal(str)

    def __init__(self, opinion: Opinion, picture: NDArray[np.uint8], *, writable: bool) -> None:
        super().__init__()
        self.opinion = opinion
        stripe = QFrame()
        stripe.setFixedHeight(max(2, self.fontMetrics().height() // 5))
        stripe.setStyleSheet(f"background: {opinion.colour}; border-radius: 1px;")
        self.panel = ImagePanel(opinion.name)
        self.panel.set_image(tinted(picture, opinion.mask, opinion.colour), opinion.mask)
        parts = [
            _STATES.get(opinion.state, f"{100 * opinion.share:.0f} % salient"),
            _VERDICTS.get(opinion.verdict, ""),
        ]
        self.panel.set_caption(" · ".join(part for part in parts if part))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(stripe)
        layout.addWidget(self.panel)
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addStretch(1)
        self.take: QPushButton | None = None
        self.verdicts: dict[str, QToolButton] = {}
        if opinion.kind != "adjudicated" and opinion.state != "skipped":
            self.take = QPushButton("Take this merge" if opinion.kind == "merge" else "Take this one")
            self.take.setToolTip(f"Make {opinion.name} the agreed mask; it can be undone")
            self.take.setAccessibleName(f"Take {opinion.name}")
            self.take.setEnabled(writable)
            self.take.clicked.connect(self.taken)
            row.addWidget(self.take)
        if opinion.kind == "person" and opinion.state != "skipped":
            for verdict, drawing, tip in (
                ("checked", "accept", "is right"),
                ("disputed", "refuse", "is in doubt"),
            ):
                button = QToolButton()
                button.setCheckable(True)
                button.setChecked(opinion.verdict == verdict)
                button.setToolTip(f"{verdict.capitalize()}: the mask of {opinion.name} {tip}")
                button.setAccessibleName(f"{verdict.capitalize()}: {opinion.name}")
                button.setIconSize(QSize(*[self.fontMetrics().height()] * 2))
                button.setEnabled(writable)
                button.setProperty("drawing", drawing)
                button.clicked.connect(lambda on, v=verdict: self.judged.emit(v if on else ""))
                row.addWidget(button)
                self.verdicts[verdict] = button
        row.addStretch(1)
        self._acts = QWidget()
        self._acts.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        self._acts.setFixedHeight(QPushButton("Take").sizeHint().height())  # also where there is no button
        layout.addWidget(self._acts)
        layout.addStretch(1)
        theme.changed.connect(self._tint)
        self._tint()

    def fit(self, width: int, height: int) -> None:
        """Take the height that a square picture of this width needs, at most ``height``."""
        least = self.panel.minimumSizeHint()
        words = least.height() - least.width()
        around = self.sizeHint().height() - self.panel.sizeHint().height()
        self.panel.setFixedHeight(max(least.height(), min(width + words, height - around)))

    def _tint(self) -> None:
        for button in self.verdicts.values():
            button.setIcon(icon(button.property("drawing"), theme.tokens.muted, theme.tokens.accent))
