"""What the views of the room have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.lane import Lane
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.qt.widgets.section import Section
from sip_explorer.records import Event, Failed


class PrototypeView(QWidget):
    """Base of the views. Each owns sections of the inspector, which are shown with it.

    Attributes
    ----------
    word, tip : str
        On the switch between the views.
    act, act_tip : str
        On the room's primary button while the view is on show; no words, no button.
    sections : sequence of Section
    lanes : sequence of Lane
        What the view asks; dropped when it goes out of sight.

    Signals
    -------
    act_changed()
        ``act``, ``can_act`` or `on_show` is another one.
    view_wanted(str)
        Another pane beside this one is to be shown.
    """

    word: ClassVar[str] = ""
    tip: ClassVar[str] = ""
    act: str = ""
    act_tip: str = ""
    can_act: bool = True

    act_changed = Signal()
    view_wanted = Signal(str)

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = subject
        self.session = subject.session
        self.sections: tuple[Section, ...] = ()
        self.lanes: list[Lane] = []
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        subject.flow_changed.connect(self.forget)

    def on_show(self) -> tuple[Section, ...]:
        """The sections of the inspector that belong to what is on show."""
        return self.sections

    @property
    def owned(self) -> tuple[Section, ...]:
        """All sections that the view brought."""
        return self.sections

    # ---- for subclasses -------------------------------------------------------------------

    def shown(self) -> None:
        """The view came on show, or what it shows became known: ask for it."""

    def means_known(self) -> None:
        """All means are decoded: what takes long may be asked now."""

    def forget(self) -> None:
        """Another flow: nothing on show is true any longer."""

    def run(self) -> None:
        """Do what the primary button says."""

    def exports(self) -> Sequence[Export]:
        """Return what can be written to files, in the order of the menu."""
        return ()

    def lane(self, name: str, take: object) -> Lane:
        """Return a new lane of this view; ``take`` gets the data of its answers."""

        def taken(event: Event) -> None:
            if isinstance(event, Failed):
                self.failed(name, event)
            else:
                take(event.data)  # type: ignore[operator, union-attr]

        lane = Lane(self.session, f"prototypes {name}", taken)
        self.lanes.append(lane)
        return lane

    def failed(self, name: str, event: Failed) -> None:
        """A question was answered with a problem."""
        self.session.problem.emit(event.message, event.detail)

    def left(self) -> None:
        """The view went out of sight."""
        for lane in self.lanes:
            lane.drop()

    @property
    def asking(self) -> bool:
        """Whether an answer is awaited."""
        return any(lane.busy for lane in self.lanes)


def heading(words: str = "") -> QLabel:
    """Return a title inside a view."""
    label = QLabel(words)
    label.setProperty("role", "section")
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return label


def muted(words: str = "", *, wrapped: bool = False) -> QLabel:
    """Return quiet words: one line that ends in an ellipsis, or as many as they take."""
    label = QLabel(words) if wrapped else ElidedLabel(words)
    label.setWordWrap(wrapped)
    label.setProperty("role", "muted")
    if not wrapped:
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return label
