"""Which network a checkpoint is of: what was recognised and why, another one, or a class of one's own."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QCompleter, QLabel, QLineEdit, QVBoxLayout, QWidget

from sip_explorer.models.choice import Choice
from sip_explorer.state.model_look import OWN_CLASS, ModelLook

_OWN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class ArchitectureChoice(QWidget):
    """A list to choose from or to type into; the user's own code asks for a tick.

    Signals
    -------
    changed()
        Another architecture, or the tick.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look: ModelLook | None = None
        self._last = ("", "", False)
        self.box = QComboBox()
        self.box.setEditable(True)
        self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.box.setMaxVisibleItems(16)
        self.box.setAccessibleName("Architecture")
        self.box.lineEdit().setPlaceholderText(f"Choose one, or type {OWN_CLASS}")
        completer = QCompleter(self.box.model(), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.box.setCompleter(completer)
        self.why = QLabel()
        self.why.setProperty("role", "muted")
        self.why.setTextFormat(Qt.TextFormat.PlainText)
        self.why.setWordWrap(True)
        self.tick = QCheckBox()
        self.size = QLineEdit()
        self.size.setPlaceholderText(
            "channels × height × width of its images: found by trying where left empty"
        )
        self.size.setAccessibleName("Channels, height and width of its images")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.box)
        layout.addWidget(self.why)
        layout.addWidget(self.size)
        layout.addWidget(self.tick)
        self.size.hide()
        self.tick.hide()
        self.size.editingFinished.connect(self._commit)
        self.box.activated.connect(self._commit)
        self.box.lineEdit().editingFinished.connect(self._commit)
        self.tick.toggled.connect(self._commit)

    def show_look(self, look: ModelLook, choice: Choice | None = None) -> None:
        """Offer what suits a file; ``choice`` is how it is read now, None for a new one."""
        choice = choice or Choice()
        self._look = look
        likely = [name for name in (look.architecture, *look.others) if name]
        names = [*likely, *(name for name in look.names if name not in likely)]
        self.box.clear()
        self.box.addItems(names)
        if likely and len(names) > len(likely):
            self.box.insertSeparator(len(likely))
        self.box.setEditText(choice.architecture or look.architecture)
        self.box.lineEdit().setCursorPosition(0)
        self.box.setEnabled(not look.exported)
        self.tick.blockSignals(True)
        self.tick.setChecked(choice.own_code)
        self.tick.blockSignals(False)
        self.size.setText(" × ".join(map(str, choice.input_shape or ())) if self._own else "")
        self._explain()
        self._last = self._now

    @property
    def architecture(self) -> str | None:
        """What was chosen; None for what was recognised."""
        recognised = self._look.architecture if self._look is not None else ""
        return None if self._text in ("", recognised) else self._text

    @property
    def own_code(self) -> bool:
        """Whether a person agreed that code is run."""
        return self.tick.isVisibleTo(self) and self.tick.isChecked()

    @property
    def input_shape(self) -> tuple[int, int, int] | None:
        """What a class of one's own takes; None where it is to be found by trying."""
        numbers = [int(word) for word in re.findall(r"\d+", self.size.text())]
        if not self._own or len(numbers) != 3 or not min(numbers):
            return None
        return numbers[0], numbers[1], numbers[2]

    @property
    def ready(self) -> bool:
        """Whether the file can be loaded as chosen."""
        if not self._known:
            return False
        return self.own_code or not self.tick.isVisibleTo(self)

    @property
    def _now(self) -> tuple[str, str, bool]:
        return self._text, self.size.text(), self.tick.isChecked()

    @property
    def _text(self) -> str:
        return self.box.currentText().strip()

    @property
    def _own(self) -> bool:
        return bool(_OWN.fullmatch(self._text))

    @property
    def _known(self) -> bool:
        look = self._look
        return look is not None and (look.exported or self._own or self._text in look.names)

    def _commit(self, *_: object) -> None:
        if self._now == self._last:
            return
        if self._text != self._last[0]:
            self.tick.blockSignals(True)
            self.tick.setChecked(False)  # what was agreed to was another module
            self.tick.blockSignals(False)
        self._last = self._now
        self._explain()
        self.changed.emit()

    def _explain(self) -> None:
        look = self._look
        if look is None:
            return
        module = self._text.partition(":")[0]
        words = f"Run the code of {module}, which I trust"
        if look.exported and look.carries:
            words = f"Run the code that the file carries ({', '.join(look.carries)}), which I trust"
        self.tick.setText(words.replace("&", "&&"))
        self.size.setVisible(self._own)
        self.tick.setVisible(self._own or bool(look.exported and look.carries))
        self.why.setText(self._why(look, module))

    def _why(self, look: ModelLook, module: str) -> str:
        if self._own:
            return f"Your own class: {module} is looked for beside the file and where Python finds modules."
        if look.exported or self._text in ("", look.architecture):
            also = f" They fit {', '.join(look.others)} as well." if look.others else ""
            return look.why + also
        if self._text in look.names:
            return f"Chosen by you; by its keys the file is {_article(look.architecture)}."
        return f"“{self._text}” is no architecture known here: choose one of the list, or type {OWN_CLASS}."


def _article(architecture: str) -> str:
    return architecture if architecture else "of none that is known here"
