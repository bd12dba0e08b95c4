"""A slim switch between a few views, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QTabBar, QWidget

from sip_explorer.qt.theme import theme


class Segments(QTabBar):
    """Words beside each other, of which one is chosen; arrow keys move the choice.

    Parameters
    ----------
    segments : sequence of (words, tip)
    wide : bool
        Whether the segments share all the width there is.

    Signals
    -------
    chosen(int)
        The place of the segment that was chosen.
    """

    chosen = Signal(int)

    def __init__(
        self, segments: Sequence[tuple[str, str]], *, wide: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setDrawBase(False)
        self.setExpanding(wide)
        self.setUsesScrollButtons(False)
        self.setElideMode(Qt.TextElideMode.ElideNone)
        horizontal = QSizePolicy.Policy.Expanding if wide else QSizePolicy.Policy.Fixed
        self.setSizePolicy(horizontal, QSizePolicy.Policy.Fixed)
        for place, (words, tip) in enumerate(segments):
            self.addTab(words)
            self.setTabToolTip(place, tip)
        self.currentChanged.connect(self.chosen)
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        t, padding = theme.tokens, 12 if self.expanding() else 8
        self.setStyleSheet(
            f"QTabBar {{ background: {t.line}; border-radius: 6px; }}"
            f"QTabBar::tab {{ background: {t.line}; color: {t.muted}; margin: 2px; padding: 3px {padding}px;"
            " border-radius: 5px; border: 1px solid transparent; }"
            f"QTabBar::tab:hover {{ color: {t.text}; }}"
            f"QTabBar::tab:selected {{ background: {t.surface}; color: {t.text}; }}"
            f"QTabBar::tab:focus {{ border-color: {t.accent}; }}"
        )
