"""How a checkpoint is read, set by hand: normalisation, size of the images, names of the classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.models.candidates import Pair, normalisations
from sip_explorer.models.choice import Choice
from sip_explorer.qt.widgets.growing_text import GrowingText
from sip_explorer.qt.widgets.section import Section

if TYPE_CHECKING:
    from sip_explorer.workspace.trial_result import LoadedModel

_PAUSE = 700  # milliseconds without a change after which it is tried
_LARGEST = 4096
_OTHER = "another one …"
_UNITS = "In units of the [0, 1] image"


class ByHand(QWidget):
    """Folds; what stands in it is the setting that is chosen in the table.

    Signals
    -------
    changed()
        A person changed a field, and paused.
    edited()
        A person is changing a field.
    """

    changed = Signal()
    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loaded: LoadedModel | None = None
        self._pairs: list[Pair] = []
        self._filling = False
        self.section = Section("By hand", folded=True)
        self.normalisation = QComboBox()
        self.normalisation.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.mean, self.std = QLineEdit(), QLineEdit()
        self.height_, self.width_ = QSpinBox(), QSpinBox()
        self.classes = GrowingText(lines=2, most=6)
        self.classes.setAccessibleName("Class names, one a line")
        self.classes.setTabChangesFocus(True)
        self.from_file = QPushButton("From a text file…")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setProperty("role", "bad")
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._settle)
        self.normalisation.activated.connect(self._choose_pair)
        self.mean.textEdited.connect(self._edit)
        self.std.textEdited.connect(self._edit)
        self.height_.valueChanged.connect(self._edit)
        self.width_.valueChanged.connect(self._edit)
        self.classes.textChanged.connect(self._edit)
        self.from_file.clicked.connect(self._read_names)

    def take(self, loaded: LoadedModel, *, fixed_size: bool = False) -> None:
        """Offer what suits a model that was loaded, and show how it was loaded."""
        self._loaded = loaded
        for field in (self.height_, self.width_):
            field.setEnabled(not fixed_size)
        self._filling = True
        candidates = normalisations(loaded.input_shape[0], (loaded.mean, loaded.std))
        self._pairs = [each.pair for each in candidates]
        self.normalisation.clear()
        self.normalisation.addItems([each.words for each in candidates])
        self.normalisation.addItem(_OTHER)
        self._filling = False
        self.show_choice(None)

    def show_choice(self, choice: Choice | None) -> None:
        """Show a setting; what it leaves open is as the model was loaded."""
        loaded = self._loaded
        if loaded is None:
            return
        self._timer.stop()
        self._filling = True
        pair = choice.normalisation if choice and choice.normalisation else (loaded.mean, loaded.std)
        shape = choice.input_shape if choice and choice.input_shape else loaded.input_shape
        names = choice.classes if choice and choice.classes else loaded.classes
        place = next((row for row, known in enumerate(self._pairs) if _close(known, pair)), len(self._pairs))
        self.normalisation.setCurrentIndex(place)
        self._show_pair(pair)
        self.height_.setValue(shape[1])
        self.width_.setValue(shape[2])
        self.classes.setPlainText("\n".join(names))
        self.note.hide()
        self._filling = False

    def filled(self, base: Choice) -> Choice:
        """Return ``base`` with what stands in the fields; names that the model has anyway are left open.

        Raises
        ------
        ValueError
            With a sentence for people.
        """
        loaded = self._loaded
        if loaded is None:
            raise ValueError("The file is not loaded yet.")
        channels = loaded.input_shape[0]
        mean, std = (
            _numbers(self.mean.text(), channels, "mean"),
            _numbers(self.std.text(), channels, "deviation"),
        )
        if min(std) <= 0:
            raise ValueError("A standard deviation must be above 0.")
        names = self.names
        if len(names) != len(loaded.classes):
            raise ValueError(
                f"{len(names)} class names stand here, and the network has {len(loaded.classes)} logits: "
                "give one name a line for each."
            )
        return replace(
            base,
            normalisation=(mean, std),
            input_shape=(channels, self.height_.value(), self.width_.value()),
            classes=None if names == loaded.classes else names,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The class names, one a line."""
        return tuple(line.strip() for line in self.classes.toPlainText().splitlines() if line.strip())

    def forget(self) -> None:
        """Nothing that was typed is wanted any more."""
        self._timer.stop()

    # ---- below ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        for field in (self.height_, self.width_):
            field.setRange(1, _LARGEST)
        self.height_.setAccessibleName("Height of the images")
        self.width_.setAccessibleName("Width of the images")
        self.section.add_row("Normalisation", self.normalisation)
        self._mean_row = self.section.add_row("Mean", self.mean, unit="per channel", tip=_UNITS)
        self._std_row = self.section.add_row("Deviation", self.std, unit="per channel", tip=_UNITS)
        size, box = QWidget(), QHBoxLayout()
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.height_)
        box.addWidget(QLabel("×"))
        box.addWidget(self.width_)
        box.addStretch(1)
        size.setLayout(box)
        self.section.add_row("Images", size, unit="pixels", tip="Height × width")
        self.section.add_row("Classes", self.classes, unit="one a line", tip="In the order of the logits")
        below = QHBoxLayout()
        below.addStretch(1)
        below.addWidget(self.from_file)
        self.section.add_layout(below)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.section)
        layout.addWidget(self.note)
        self.note.hide()

    def _choose_pair(self, place: int) -> None:
        if place < len(self._pairs):
            self._show_pair(self._pairs[place])
        else:
            for row in (self._mean_row, self._std_row):
                row.set_visible(True)
            self.mean.setFocus()
        self._edit()

    def _show_pair(self, pair: Pair) -> None:
        other = self.normalisation.currentIndex() >= len(self._pairs)
        for row, field, values in zip(
            (self._mean_row, self._std_row), (self.mean, self.std), pair, strict=True
        ):
            field.setText(", ".join(f"{value:.6g}" for value in values))
            row.set_visible(other)

    def _edit(self, *_: object) -> None:
        if not self._filling:
            self._timer.start()
            self.edited.emit()

    def _settle(self) -> None:
        try:
            self.filled(Choice())
        except ValueError as problem:
            self.note.setText(str(problem))
            self.note.show()
            return
        self.note.hide()
        self.changed.emit()

    def _read_names(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Class names, one a line", "", "Text (*.txt);;All files (*)"
        )
        if not name:
            return
        try:
            self.classes.setPlainText(Path(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            self.note.setText(
                f"{Path(name).name} cannot be read as text: choose a file with one name a line."
            )
            self.note.show()


def _numbers(text: str, channels: int, what: str) -> tuple[float, ...]:
    try:
        values = tuple(float(word) for word in text.replace(";", ",").split(",") if word.strip())
    except ValueError:
        values = ()
    if len(values) == 1:
        values *= channels
    if len(values) != channels:
        raise ValueError(f"The {what} needs {channels} numbers, such as {', '.join(['0.5'] * channels)}.")
    return values


def _close(first: Pair, second: Pair) -> bool:
    values, others = (*first[0], *first[1]), (*second[0], *second[1])
    return len(values) == len(others) and all(abs(a - b) < 1e-4 for a, b in zip(values, others, strict=True))
