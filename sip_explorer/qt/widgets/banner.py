"""One sentence across the top of the window, with a way to copy the details."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme


class Banner(QWidget):
    """Problems stay until closed; notices leave by themselves after some seconds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._details = ""
        self.text = QLabel()
        self.text.setWordWrap(True)
        self._copy = QPushButton("Copy details")
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._details))
        self._close = QToolButton()
        self._close.setAccessibleName("Close message")
        self._close.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 8, 6)
        layout.addWidget(self.text, 1)
        layout.addWidget(self._copy)
        layout.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def show_problem(self, sentence: str, details: str = "") -> None:
        """Show what went wrong and what to do."""
        self._show(sentence, details, theme.tokens.bad)
        self._timer.stop()

    def show_notice(self, sentence: str) -> None:
        """Show news for a few seconds."""
        self._show(sentence, "", theme.tokens.accent)
        self._timer.start(6000)

    def _show(self, sentence: str, details: str, edge: str) -> None:
        self._details = f"{sentence}\n\n{details}".strip()
        self.text.setText(sentence)
        self._copy.setVisible(bool(details))
        self._close.setIcon(icon("close", theme.tokens.muted))
        self.setStyleSheet(
            f"#banner {{ background: {theme.tokens.surface}; border-left: 4px solid {edge};"
            f" border-bottom: 1px solid {theme.tokens.line}; }}"
        )
        self.show()
