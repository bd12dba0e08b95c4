"""One sentence over the title of the room, with a way to copy the details."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme

_SHARE = 0.46
"""Of the pane's width, at most."""

NOTICE_TIME = 6000
"""Milliseconds for which a notice shows."""


class Banner(QWidget):
    """Problems stay until closed; notices leave by themselves after some seconds.

    A notice that comes while a problem shows is shown for its time; then the problem is back. It lies
    over ``pane`` and moves nothing: a canvas that jumps would spoil the stroke of a hand.
    """

    def __init__(self, pane: QWidget) -> None:
        super().__init__(pane)
        self._pane = pane
        pane.installEventFilter(self)
        self.setObjectName("banner")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._problem = ("", "")
        self._details = ""
        self._edge = "accent"
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        policy = self.text.sizePolicy()  # a long path, which cannot be wrapped, must not widen the window
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        self.text.setSizePolicy(policy)
        self._copy = QPushButton("Copy details")
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._details))
        self._close = QToolButton()
        self._close.setAccessibleName("Close message")
        self._close.clicked.connect(self._closed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 8, 6)
        layout.addWidget(self.text, 1)
        layout.addWidget(self._copy)
        layout.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(NOTICE_TIME)
        self._timer.timeout.connect(self._notice_over)
        theme.changed.connect(self._tint)
        self._tint()
        self.hide()

    def show_problem(self, sentence: str, details: str = "") -> None:
        """Show what went wrong and what to do."""
        self._timer.stop()
        self._problem = (sentence, details)
        self._show(sentence, details, "bad")

    @property
    def problem(self) -> str:
        """The sentence that stays until it is closed or solved; empty where there is none."""
        return self._problem[0]

    def forget_problem(self, sentence: str) -> None:
        """This problem is solved: it need not be read any more."""
        if sentence == self._problem[0]:
            self._problem = ("", "")
            if not self._timer.isActive():
                self.hide()

    def show_notice(self, sentence: str) -> None:
        """Show news for a few seconds."""
        self._show(sentence, "", "accent")
        self._timer.start()

    def _notice_over(self) -> None:
        if self._problem[0]:
            self._show(*self._problem, "bad")
        else:
            self.hide()

    def _closed(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self._notice_over()
        else:
            self._problem = ("", "")
            self.hide()

    def _show(self, sentence: str, details: str, edge: str) -> None:
        self._details = f"{sentence}\n\n{details}".strip()
        self._edge = edge
        self.text.setText(sentence)
        self.text.setToolTip(sentence)
        self._copy.setVisible(bool(details))
        self._tint()
        self._place()
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._pane and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        """Over the title, as wide as the sentence, and never over the buttons at the right of it."""
        most = round(self._pane.width() * _SHARE)
        buttons = [self._close] if self._copy.isHidden() else [self._close, self._copy]
        controls = sum(button.sizeHint().width() + 8 for button in buttons)
        written = self.text.fontMetrics().horizontalAdvance(self.text.text())
        width = min(most, written + controls + 40)
        self.setGeometry(8, 6, width, max(self.heightForWidth(width), self.minimumSizeHint().height()))

    def _tint(self) -> None:
        tokens = theme.tokens
        self._close.setIcon(icon("close", tokens.muted))
        self.setStyleSheet(
            f"#banner {{ background: {tokens.surface}; border: 1px solid {tokens.line};"
            f" border-left: 4px solid {getattr(tokens, self._edge)}; border-radius: 6px; }}"
        )
