"""How a checkpoint is best read: the settings that were tried, the one that is chosen, fields by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from sip_explorer.models.choice import Choice
from sip_explorer.models.class_names import match
from sip_explorer.qt.models.by_hand import ByHand
from sip_explorer.qt.models.setting_table import SettingTable, figure
from sip_explorer.qt.models.trial_bar import TrialBar
from sip_explorer.qt.models.trial_request import TrialRequest
from sip_explorer.state import Session
from sip_explorer.state.model_look import ModelLook

if TYPE_CHECKING:
    from sip_explorer.workspace.trial_result import LoadedModel, TrialResult, TrialRow


class SettingsPanel(QWidget):
    """The lower half of the loading dialogue.

    Signals
    -------
    looked(ModelLook)
        What is in the file.
    changed()
        `choice` may be another one.
    failed(str, str)
        The file cannot be read (so): a sentence, and details.
    """

    looked = Signal(object)
    changed = Signal()
    failed = Signal(str, str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.loaded: LoadedModel | None = None
        self._base: Choice | None = None
        self._present: Choice | None = None
        self._look: ModelLook | None = None
        self._found: TrialResult | None = None  # of what was left open
        self._by_hand: TrialResult | None = None
        self._trying_hand = self._waiting = False
        self._picked: Choice | None = None
        self.bar = TrialBar()
        self.table = SettingTable()
        self.why = QLabel()
        self.why.setTextFormat(Qt.TextFormat.PlainText)
        self.why.setWordWrap(True)
        self.why.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hand = ByHand()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.bar)
        layout.addWidget(self.table, 100)
        layout.addWidget(self.why)
        layout.addWidget(self.hand)
        layout.addStretch(1)
        self._request = request = TrialRequest(session, self)
        request.looked.connect(self.looked)
        request.loaded.connect(self._take_loaded)
        request.fared.connect(self._show_so_far)
        request.progressed.connect(self.bar.progress)
        request.ended.connect(self._take_result)
        request.failed.connect(self._fail)
        self.bar.stop.clicked.connect(request.stop)
        self.table.picked.connect(self._pick)
        self.hand.edited.connect(self._wait_for_hand)
        self.hand.changed.connect(self._try_by_hand)
        self.rest()

    # ---- asked by the dialogue ------------------------------------------------------------

    @property
    def choice(self) -> Choice | None:
        """The setting that is chosen; None while there is none, or while it is being tried."""
        if self._request.running or self._waiting:
            return None
        return self._picked

    @property
    def reason(self) -> str:
        """Why it is chosen, for the model's card."""
        found, hand = self._found, self._by_hand
        if found is not None and self._picked == found.proposal:
            return found.reason
        row = self._row(self._picked)
        how = "set by hand" if hand is not None and self._picked == hand.proposal else "chosen by hand"
        images = (hand or found).images if (hand or found) is not None else ""  # type: ignore[union-attr]
        return (
            f"{how}: {figure(row)} right, on {images}" if row is not None else f"{how}; nothing was measured"
        )

    def look_at(self, path: Path) -> None:
        """Look into a file."""
        self._request.look(path)

    def start(self, look: ModelLook, base: Choice, present: Choice | None = None) -> None:
        """Try what ``base`` leaves open; ``present`` is how the file is read now, and stays chosen."""
        self.rest()
        self._look, self._base, self._present = look, base, present
        self.show()
        self.bar.begin("Loading the model …")
        self._session.attempt(lambda: self._request.start(look.path, base))

    def rest(self) -> None:
        """Nothing is to be tried."""
        self._request.forget()
        self.hand.forget()
        self._found = self._by_hand = self._picked = self.loaded = None
        self._trying_hand = self._waiting = False
        self.bar.rest("")
        self.table.show_rows(())
        for widget in (self.table, self.why, self.hand):
            widget.hide()
        self.hide()

    def forget(self) -> None:
        """No answer is wanted any more."""
        self.hand.forget()
        self._request.forget()

    def words_of_classes(self, names: Sequence[str]) -> str:
        """Say where class names come from, and how many of the workspace's are among them."""
        workspace, loaded = self._session.workspace, self.loaded
        if workspace is None or loaded is None:
            return ""
        wanted = workspace.classes
        known = sum(place >= 0 for place in match(names, wanted))
        if known == len(wanted):
            share = f"all {len(wanted)} classes of {workspace.name} are among them"
        else:
            share = (
                f"{known or 'none'} of the {len(wanted)} classes of {workspace.name} {_are(known)} among them"
            )
        row = self._row(self._picked)
        if tuple(names) == loaded.classes:
            source = loaded.classes_from
        else:
            source = row.setting.order if row is not None else "given by hand"
        return f"{source[:1].upper()}{source[1:]}; {share}."

    # ---- following the trial --------------------------------------------------------------

    def _take_loaded(self, loaded: LoadedModel) -> None:
        if not self._trying_hand:
            self.loaded = loaded
            self.hand.take(loaded, fixed_size=self._look is not None and self._look.exported)
            self.changed.emit()

    def _show_so_far(self, rows: Sequence[TrialRow]) -> None:
        if rows and not self._trying_hand:
            self.table.show_rows(rows, chosen=self._picked, first=self._first)
            self.table.show()
            self.bar.stop.show()

    def _take_result(self, result: TrialResult) -> None:
        if self._trying_hand:
            self._trying_hand = False
            self._by_hand = result
            self._picked = result.proposal
        else:
            self._found = result
            known = [row.setting.choice for row in result.rows]
            if self._picked not in known:
                self._picked = result.proposal
            if self._present is not None and self._keep_present(known):
                return
            self.hand.show_choice(self._picked)
        self._show()

    def _keep_present(self, known: Sequence[Choice]) -> bool:
        """Choose how the file is read now; True where that has to be tried first."""
        present, self._present = self._present, None
        if present is None or present == Choice():
            return False
        same = next((each for each in known if same_reading(each, present)), None)
        if same is not None:
            self._picked = same
            return False
        self.hand.show_choice(present)
        self._try_by_hand()
        return True

    def _fail(self, sentence: str, detail: str) -> None:
        self._trying_hand = False
        self._picked = None
        self.bar.rest("")
        if self.loaded is None:
            self.hide()
        self.failed.emit(sentence, detail)

    # ---- choosing -------------------------------------------------------------------------

    def _pick(self, choice: Choice) -> None:
        self._picked = choice
        if not self._request.running:
            self.hand.show_choice(choice)
            self._waiting = False
            self._explain()
        self.changed.emit()

    def _wait_for_hand(self) -> None:
        self._waiting = True  # until the fields hold still
        self.changed.emit()

    def _try_by_hand(self) -> None:
        look, base = self._look, self._base
        if look is None or base is None:
            return
        try:
            filled = self.hand.filled(base)
        except ValueError:
            return  # the fields say why
        self._trying_hand, self._waiting = True, False
        self.bar.begin("Trying what was set by hand …")
        self._session.attempt(lambda: self._request.start(look.path, filled))
        self.changed.emit()

    @property
    def _first(self) -> str:
        return self._look.variants[0] if self._look is not None and self._look.variants else ""

    def _row(self, choice: Choice | None) -> TrialRow | None:
        return next((row for row in self._rows() if row.setting.choice == choice), None)

    def _rows(self) -> tuple[TrialRow, ...]:
        hand = self._by_hand.rows[:1] if self._by_hand is not None else ()
        found = self._found.rows if self._found is not None else ()
        new = tuple(row for row in hand if row.setting.choice not in [each.setting.choice for each in found])
        return (*new, *found)

    def _show(self) -> None:
        """Show both results, what is chosen and why."""
        rows = self._rows()
        found, hand = self._found, self._by_hand
        self.table.show_rows(
            rows,
            chosen=self._picked,
            proposed=found.proposal if found is not None else None,
            own=hand.proposal if hand is not None else None,
            first=self._first,
        )
        self.table.setVisible(bool(rows))
        images = next((each.images for each in (found, hand) if each is not None and each.images), "")
        self.bar.rest(f"How many are right of {images}" if images else "How the images are given to it")
        self.hand.show()
        self.hand.section.set_title("By hand" if rows else "Assumed, to be changed where it is known better")
        if not rows:
            self.hand.section.set_open(True)
        self._explain()
        self.changed.emit()

    def _explain(self) -> None:
        found, row = self._found, self._row(self._picked)
        if found is not None and self._picked == found.proposal:
            words = found.reason
        elif row is None:
            words = f"Set by hand. {found.reason if found is not None else ''}"
        else:
            words = f"Your choice: {row.setting.normalisation}, {row.setting.size}: {figure(row)} right."
        self.why.setText(words)
        self.why.show()


def same_reading(first: Choice, second: Choice) -> bool:
    """Whether two choices read a file alike, up to the rounding of a normalisation."""
    if replace(first, normalisation=None) != replace(second, normalisation=None):
        return False
    one, other = first.normalisation, second.normalisation
    if one is None or other is None:
        return one is other
    pairs = zip((*one[0], *one[1]), (*other[0], *other[1]), strict=True)
    return all(abs(a - b) < 1e-6 for a, b in pairs)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
