"""The overlap set: the images that everybody paints, so that agreement can be measured."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from sip_explorer.state import Session
from sip_explorer.state.reviewing import OVERLAP


class OverlapForm(QWidget):
    """Draws it from the images listed, each class its share, and lists it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._reviewing = session.reviewing
        self.count = QSpinBox()
        self.count.setRange(1, 100_000)
        self.count.setValue(50)
        self.count.setAccessibleName("Images of the overlap set")
        self.seed = QSpinBox()
        self.seed.setRange(0, 999_999)
        self.seed.setAccessibleName("Seed of the overlap set")
        self.seed.setToolTip("The same seed and list give the same images")
        for field in (self.count, self.seed):  # their greatest numbers would push the column wide
            field.setMinimumWidth(field.fontMetrics().horizontalAdvance("0") * 9)
        self.make = QPushButton("Draw")
        self.make.setToolTip("Draw them from the images listed below, each class its share; masks stay")
        self.list = QPushButton("List it")
        self.list.setToolTip("List the images of the overlap set in the film strip")
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setProperty("role", "muted")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.count)
        row.addWidget(_muted("images, seed"))
        row.addWidget(self.seed)
        row.addStretch(1)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addWidget(self.make)
        acts.addWidget(self.list)
        acts.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._words)
        layout.addLayout(row)
        layout.addLayout(acts)
        self.make.clicked.connect(self._make)
        self.list.clicked.connect(lambda: self._reviewing.listing_wanted.emit(OVERLAP))
        session.workspace_changed.connect(self._show)
        session.selection.annotator_changed.connect(self._show)
        self._reviewing.collections_changed.connect(self._show)
        self._reviewing.marks.changed.connect(self._mark_changed)
        self._show()

    def _make(self) -> None:
        def act() -> None:
            drawn = self._reviewing.make_overlap(self.count.value(), self.seed.value())
            self._session.notice.emit(f"Everybody paints {drawn:,} images from now on: the overlap set.")

        self._session.attempt(act)

    def _mark_changed(self, image: int, _mark: str) -> None:
        if image in self._reviewing.collection(OVERLAP):
            self._show()

    def _show(self, *_: object) -> None:
        workspace = self._session.workspace
        images = self._reviewing.collection(OVERLAP)
        self.list.setEnabled(len(images) > 0)
        self.make.setEnabled(workspace is not None and not workspace.read_only)
        if workspace is None or not len(images):
            self._words.setText("Overlap set: none yet. Images that everybody paints show who agrees.")
            return
        states = workspace.states(images, self._session.selection.annotator)
        done = len(states) - states.count("unpainted")
        self._words.setText(f"Overlap set: {done:,} of {len(states):,} images done")


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    return label
