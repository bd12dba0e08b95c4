"""What is being measured: one line, a slim bar, and a way to take the best so far."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from sip_explorer.qt.widgets.elided_label import ElidedLabel


class TrialBar(QWidget):
    """Over the table of settings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = ElidedLabel()
        self.words.setProperty("role", "section")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(self.fontMetrics().averageCharWidth() * 18)
        self.bar.setAccessibleName("Settings tried")
        self.stop = QPushButton("Take the best so far")
        for widget in (self.bar, self.stop):  # the line does not jump when they leave
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.stop)
        self.rest("")

    def begin(self, words: str) -> None:
        """Something is under way, and it is not known how long it takes."""
        self.words.setText(words)
        self.bar.setRange(0, 0)
        self.bar.show()
        self.stop.hide()

    def progress(self, done: int, total: int, text: str) -> None:
        """So many of so many settings were tried; ``text`` is the one that is being tried."""
        self.words.setText(
            f"Measuring on labelled images: {text}" if text else "Measuring on labelled images"
        )
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)
        self.bar.show()

    def rest(self, words: str) -> None:
        """Nothing is under way."""
        self.words.setText(words)
        self.bar.hide()
        self.stop.hide()
