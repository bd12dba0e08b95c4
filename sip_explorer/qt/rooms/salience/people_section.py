"""Who paints, whose outlines are shown beside theirs, blind mode, the overlap set, how far one is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.salience.overlap_form import OverlapForm
from sip_explorer.qt.rooms.salience.person_form import PersonForm, dot
from sip_explorer.qt.widgets.section import Section
from sip_explorer.records import Artefact, CancelToken, Event
from sip_explorer.state import Session
from sip_explorer.state.pace import an_hour

if TYPE_CHECKING:
    from sip_explorer.workspace.annotators import Annotator

Others = Sequence[tuple[NDArray[np.uint8], str]]
_OTHERS, _PACE = "others' masks", "pace"
_PACE_SECONDS = 60.0  # between two readings
_ANSWER = "#0072B2"  # outline of a known answer


class PeopleSection:
    """Fills a section of the inspector.

    Parameters
    ----------
    show_others : callable
        Is handed the masks, uint8 (H, W), and colours of which the canvas shows the outlines.
    """

    def __init__(self, session: Session, show_others: Callable[[Others], object]) -> None:
        self._session = session
        self._reviewing = session.reviewing
        self._show_others = show_others
        self._shown: list[tuple[NDArray[np.uint8], str]] = []
        self._wanted: set[str] = set()  # names of those whose outlines are shown
        self.person = PersonForm(session)
        self.overlap = OverlapForm(session)
        self.boxes: dict[str, QCheckBox] = {}
        self.blind = QCheckBox("Blind mode")
        self._blind_words = _quiet()
        self._others = QWidget()
        self._list = QVBoxLayout(self._others)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(4)
        self._beside = QLabel("Outlines beside mine")
        self._beside.setProperty("role", "muted")
        self._pace_words = _quiet()
        self._speed: tuple[str, float | None] = ("", None)  # of whom, images an hour
        self.blind.toggled.connect(self._turn_blind)
        self.person.changed.connect(self._show_people)
        reviewing, selection = self._reviewing, session.selection
        for signal in (selection.annotator_changed, session.workspace_changed, reviewing.blind_changed):
            signal.connect(self._show_people)
        selection.current_image_changed.connect(self._show_outlines)
        session.painting.recorded.connect(self._recorded)
        session.painting.replaced.connect(self._replaced)
        reviewing.adjudicated.connect(self._agreed)
        reviewing.answer_changed.connect(self._hand_over)
        reviewing.marks.changed.connect(self._show_pace)
        reviewing.marks.renewed.connect(self._ask_pace)
        session.saved.connect(self._ask_pace_later)
        self._paced = 0.0  # when the pace was read last
        self._show_people()
        self._ask_pace()

    def fill(self, section: Section) -> None:
        """Put the controls into a section."""
        section.add_widget(self._pace_words)
        section.add_widget(self.person)
        section.add_widget(self._beside)
        section.add_widget(self._others)
        section.add_widget(self.blind)
        section.add_widget(self._blind_words)
        section.add_widget(self.overlap)

    def toggle_others(self) -> None:
        """Show everyone's outline beside mine, or, where some are shown, none."""
        on = not any(box.isChecked() for box in self.boxes.values())
        for box in self.boxes.values():
            box.setChecked(on)

    # ---- others ---------------------------------------------------------------------------

    def _people(self) -> list[Annotator]:
        workspace = self._session.workspace
        if workspace is None:
            return []
        me = self._session.selection.annotator
        people = [*workspace.annotators(), *workspace.annotators("adjudicated")]
        return [person for person in people if person.name != me]

    def _show_people(self, *_: object) -> None:
        blind, people = self._reviewing.blind, self._people()
        for box in self.boxes.values():
            self._list.removeWidget(box)
            box.hide()
            box.deleteLater()
        self.boxes = {}
        for person in people if not blind else ():
            box = QCheckBox(person.name)
            box.setIcon(dot(person.colour))
            box.setAccessibleName(f"Outline of {person.name}")
            box.setChecked(person.name in self._wanted)
            box.toggled.connect(lambda on, name=person.name: self._choose(name, on))
            self._list.addWidget(box)
            self.boxes[person.name] = box
        self._beside.setVisible(bool(self.boxes))
        self._others.setVisible(bool(self.boxes))
        workspace = self._session.workspace
        self.blind.blockSignals(True)
        self.blind.setChecked(blind)
        self.blind.blockSignals(False)
        self.blind.setEnabled(workspace is not None and not workspace.read_only)
        self._blind_words.setText(
            "Other people's masks, disputes and agreement are hidden, for everyone who paints here."
            if blind
            else "Hides other people's masks, disputes and agreement while painting."
        )
        self._show_outlines()

    def _choose(self, name: str, on: bool) -> None:
        (self._wanted.add if on else self._wanted.discard)(name)
        self._show_outlines()

    def _turn_blind(self, on: bool) -> None:
        if not self._session.attempt(lambda: self._reviewing.set_blind(on)):
            self._show_people()

    def _recorded(self, image: int, _tool: str, who: str) -> None:
        if who in self._wanted:  # one's own strokes change no outline beside one's own
            self._replaced(image)

    def _replaced(self, image: int) -> None:
        if image == self._session.selection.current_image and self._wanted:
            self._read_outlines()

    def _agreed(self, _image: int) -> None:
        if {person.name for person in self._people()} != self.boxes.keys() and not self._reviewing.blind:
            self._show_people()  # the first agreed mask

    def _show_outlines(self, *_: object) -> None:
        if self._shown:
            self._shown = []  # never the outlines of another image
            self._hand_over()
        self._read_outlines()

    def _read_outlines(self) -> None:
        """Read the masks in the disk thread: one of a photo takes longer than a frame."""
        workspace, image = self._session.workspace, self._session.selection.current_image
        people = [person for person in self._people() if person.name in self._wanted]
        if workspace is None or image is None or not people or self._reviewing.blind:
            self._session.jobs.drop(_OTHERS, on="disk")
            return

        def job(token: CancelToken) -> Iterator[Event | None]:
            found = []
            for person in people:
                token.check()
                if workspace.states([image], person.id)[0] == "painted":
                    found.append((workspace.mask(image, person.id), person.colour))
                yield None
            yield Artefact(_OTHERS, data=found)

        def follow(event: Event) -> None:
            on_show = workspace is self._session.workspace and image == self._session.selection.current_image
            if isinstance(event, Artefact) and on_show and not self._reviewing.blind:
                self._shown = event.data
                self._hand_over()

        self._session.jobs.ask(_OTHERS, job, follow, on="disk")

    def _hand_over(self) -> None:
        answer, image = self._reviewing.answer, self._session.selection.current_image
        known = [(answer[1], _ANSWER)] if answer is not None and answer[0] == image else []
        self._show_others([*self._shown, *known])

    # ---- pace -----------------------------------------------------------------------------

    def _ask_pace_later(self, _at: float) -> None:
        if time.monotonic() - self._paced > _PACE_SECONDS:
            self._ask_pace()

    def _ask_pace(self, *_: object) -> None:
        """Read the pace in the disk thread: of a long day there are thousands of strokes."""
        workspace, who = self._session.workspace, self._session.selection.annotator
        if self._speed[0] != who:
            self._speed = (who, None)
        self._show_pace()
        self._paced = time.monotonic()
        if workspace is None:
            return

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact(_PACE, data=an_hour(workspace, who))

        def follow(event: Event) -> None:
            if isinstance(event, Artefact) and workspace is self._session.workspace:
                self._speed = (who, event.data)
                self._show_pace()

        self._session.jobs.ask(_PACE, job, follow, on="disk")

    def _show_pace(self, *_: object) -> None:
        pace = self._reviewing.progress(self._speed[1])
        parts = [f"{pace.done:,} of {pace.total:,} images done"]
        if pace.checked:
            parts.append(f"{pace.checked:,} checked")
        if pace.an_hour:
            parts.append(f"{pace.an_hour:,.0f} images an hour")
        self._pace_words.setText(" · ".join(parts))


def _quiet() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "muted")
    return label
