"""What a room shows before there is anything: one sentence, one button, a picture of the result."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget


class EmptyState(QWidget):
    """Centred; the button is the room's next sensible act."""

    def __init__(
        self,
        sentence: str,
        button: str = "",
        act: Callable[[], None] | None = None,
        picture: QPixmap | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setSpacing(16)
        layout.addStretch(1)
        if picture is not None:
            view = QLabel()
            view.setPixmap(picture)
            view.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(view)
        self.sentence = QLabel(sentence)
        self.sentence.setWordWrap(True)
        self.sentence.setProperty("role", "muted")
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence.setMinimumWidth(self.fontMetrics().averageCharWidth() * 50)
        # No alignment flag: with one, a label that wraps is not given the height of its lines.
        layout.addWidget(self.sentence)
        if button and act is not None:
            self.button = QPushButton(button)
            self.button.clicked.connect(act)
            layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
