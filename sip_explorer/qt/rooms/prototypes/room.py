"""All prototypes of a flow at the left; beside them one of several views of one prototype or image."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSpinBox, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.prototypes import exporting, requests
from sip_explorer.qt.rooms.prototypes.attack_view import AttackView
from sip_explorer.qt.rooms.prototypes.compare_view import CompareView
from sip_explorer.qt.rooms.prototypes.explore_view import ExploreView
from sip_explorer.qt.rooms.prototypes.export_menu import Export, ExportMenu
from sip_explorer.qt.rooms.prototypes.galleries import Galleries
from sip_explorer.qt.rooms.prototypes.image_requests import Inverted
from sip_explorer.qt.rooms.prototypes.image_view import ImageView
from sip_explorer.qt.rooms.prototypes.lane import Lane
from sip_explorer.qt.rooms.prototypes.layer_dialog import LayerDialog, layer_errors
from sip_explorer.qt.rooms.prototypes.model_section import ModelSection
from sip_explorer.qt.rooms.prototypes.prototype_map import PrototypeMap
from sip_explorer.qt.rooms.prototypes.requests import Means, Samples
from sip_explorer.qt.rooms.prototypes.samples_view import SamplesView
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, muted
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.qt.widgets.sliding_number import SlidingNumber
from sip_explorer.records import Artefact, Event, Failed, Finished
from sip_explorer.state import Session

NO_FLOW = "No ProtoFlow is among the models of this workspace: add a checkpoint to see its prototypes."
VIEW_WIDTH = 430
"""Pixels that the views keep beside a map of magnified prototypes."""


class PrototypeRoom(Room):
    """Choose a ProtoFlow, a prototype and a view; whatever is on show follows."""

    key: ClassVar[str] = "prototypes"
    title: ClassVar[str] = "Prototypes"
    icon_name: ClassVar[str] = "prototypes"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.subject = Subject(session, self)
        self._means_lane = Lane(session, "prototype means", self._means_answered)
        self.model = ModelSection(session, self.inspector.add_section("Model"))
        self.model.chosen.connect(self._model_chosen)
        self.model.layers_wanted.connect(self._measure_layers)
        self.layer_dialog: LayerDialog | None = None
        self.galleries = Galleries(self.subject)
        self.samples_view = SamplesView(self.subject, self.inspector, self.galleries)
        self.image_view = ImageView(self.subject, self.inspector, self.galleries)
        self.explore_view = ExploreView(self.subject, self.inspector, self.galleries)
        samples = self.samples_view
        self.compare_view = CompareView(self.subject, self.inspector, samples.sampling, samples.sections[0])
        self.attack_view = AttackView(self.subject, self.inspector)
        self.explore_view.switches.off_changed.connect(self._show_off)
        self.views: tuple[PrototypeView, ...] = (
            self.samples_view, self.image_view, self.explore_view, self.compare_view, self.attack_view,
        )  # fmt: skip
        self._make_centre()
        self._export = ExportMenu(lambda: self.view.exports())
        self._export.wanted.connect(self._write)
        self._actions.addWidget(self._export)
        self._act: QPushButton = self.add_button("", primary=True)
        self._act.clicked.connect(lambda: self.view.run())
        self.subject.prototype_changed.connect(lambda: self.map.show_current(self.subject.cell))
        self.image_view.answered.connect(self._ring)
        session.models_changed.connect(self._list_models)
        session.selection.current_image_changed.connect(self._image_changed)
        self._show_view(0)
        self._list_models()

    def _make_centre(self) -> None:
        self._empty = EmptyState(
            NO_FLOW, "Add a trained model…", lambda: getattr(self.window(), "ask_add_model", lambda: None)()
        )
        self._empty.hide()
        self.centre.addWidget(self._empty, 1)
        self.map = PrototypeMap()
        self.map.chosen.connect(lambda label, component: self.subject.set_cell((label, component)))
        self.map.pressed.connect(self._pressed)
        self._legend = muted(wrapped=True)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.map, 1)
        column.addWidget(self._legend)
        self.switch = Segments([(view.word, view.tip) for view in self.views], wide=True)
        self.switch.setAccessibleName("Views of the prototypes")
        self.switch.chosen.connect(self._show_view)
        self._stack = QStackedWidget()
        for view in self.views:
            view.act_changed.connect(self._show_act)
            self._stack.addWidget(view)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.switch)
        column.addWidget(self._stack, 1)
        self._content = QSplitter(Qt.Orientation.Horizontal)
        self._content.setChildrenCollapsible(False)
        self._content.setHandleWidth(20)
        self._content.setStyleSheet("QSplitter::handle { background: transparent; }")
        self._content.addWidget(left)
        self._content.addWidget(right)
        self._content.setStretchFactor(1, 1)
        self._content.setSizes([4000, 6000])  # shares, until the map is known
        self._handle_moved = False
        self._content.splitterMoved.connect(self._take_handle)
        self.centre.addWidget(self._content, 1)

    # ---- what others ask of the room ------------------------------------------------------

    @property
    def view(self) -> PrototypeView:
        """The view on show."""
        return self.views[self._stack.currentIndex()]

    def show_view(self, view: PrototypeView) -> None:
        """Bring a view on show."""
        self.switch.setCurrentIndex(self.views.index(view))

    @property
    def asking(self) -> bool:
        """Whether an answer of the flow is still awaited."""
        return self._means_lane.busy or any(view.asking for view in self.views)

    # What a whole job by hand or by machine needs of the views.

    @property
    def last_samples(self) -> Samples | None:
        """The samples on show, or those that came so far."""
        return self.samples_view.last

    @property
    def last_inverted(self) -> Inverted | None:
        """What the flow made of the current image."""
        return self.image_view.last

    @property
    def grid(self) -> CaptionedGrid:
        """The map of all prototypes."""
        return self.map.grid

    @property
    def temperature(self) -> SlidingNumber:
        """The field of the samples' temperature."""
        return self.samples_view.sampling.temperature

    @property
    def seed(self) -> QSpinBox:
        """The field of the samples' seed."""
        return self.samples_view.sampling.seed

    # ---- following ------------------------------------------------------------------------

    def entered(self) -> None:
        if self.subject.means is None:
            self._model_chosen()
        else:
            self.view.shown()
            self.image_view.refresh()

    def left(self) -> None:
        self._means_lane.drop()
        for view in self.views:
            view.left()

    def _list_models(self) -> None:
        there = self.model.box.list_models(self.session)
        self._empty.setVisible(not there)
        self._content.setVisible(there)
        self._act.setEnabled(there)
        self._export.setEnabled(there)
        # The same name in another workspace is another model.
        if self.model.entry() != self.subject.entry or not there:
            self._model_chosen()

    def _model_chosen(self) -> None:
        self._means_lane.drop()
        self.map.show_means(None)
        self._legend.setText("")
        self.model.say("")
        self.subject.set_entry(self.model.entry())
        name = self.model.box.currentText()
        self.set_subject(name)
        if self.subject.kept is not None and self.isVisible():
            self.model.say("Loading and checking the way back…")
            self.set_subject(f"{name} · loading and checking the way back…")
            self._means_lane.want(requests.means(self.subject.kept))

    def _means_answered(self, event: Event) -> None:
        self.set_subject(self.model.box.currentText())
        if isinstance(event, Failed):
            self.model.say(event.message)
            self.session.problem.emit(event.message, event.detail)
        elif isinstance(event, Artefact) and isinstance(event.data, Means):
            first = self.subject.means is None
            self.map.show_means(event.data)
            self.model.show_means(event.data)
            self.subject.set_means(event.data)
            if first:
                self._share_width()
                self.view.shown()
                self.image_view.refresh()
            elif event.data.whole:
                self.view.means_known()

    def _take_handle(self, *_: object) -> None:
        self._handle_moved = True

    def _ring(self) -> None:
        """Frame the prototype that the image is nearest to."""
        answer = self.image_view.last
        self.map.ring(None if answer is None else answer.nearest)
        self._legend.setText("" if answer is None else "Framed green: nearest to the image")

    def _share_width(self) -> None:
        """Give the map twice the size of its pixels where the views keep enough room."""
        whole = self._content.width()
        for scale in (3, 2, 1):
            width = self.map.width_at(scale)
            if (width <= 0.42 * whole and whole - width >= VIEW_WIDTH) or scale == 1:
                self._content.setSizes([width, max(1, whole - width - self._content.handleWidth())])
                return

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.subject.means is not None and not self._handle_moved:
            self._share_width()

    def _measure_layers(self) -> None:
        """Measure the way back layer by layer as a job, and show what it found."""
        kept, entry = self.subject.kept, self.subject.entry
        if kept is None or entry is None:
            return
        self.model.layers.setEnabled(False)

        def follow(event: Event) -> None:
            if isinstance(event, Failed):
                self.session.problem.emit(event.message, event.detail)
            elif isinstance(event, Artefact):
                self.layer_dialog = LayerDialog(entry.name, event.data, self)
                self.layer_dialog.show()
            if isinstance(event, Failed | Finished):
                self.model.layers.setEnabled(True)

        self.session.jobs.run(f"way back of {entry.name}", layer_errors(kept), follow)

    def _image_changed(self, _image: object) -> None:
        self.subject.image_changed.emit()

    def _show_view(self, place: int) -> None:
        before = self.view
        self._stack.setCurrentIndex(place)
        if before is not self.view:
            before.left()
        if self.isVisible() and self.subject.means is not None:
            self.view.shown()
            self.image_view.refresh()
        self._show_act()

    def _show_act(self) -> None:
        view = self.view
        wanted = view.on_show()
        for section in {section for each in self.views for section in each.owned}:
            section.setVisible(section in wanted)
        self._show_off()
        self._act.setVisible(bool(view.act))
        self._act.setText(view.act)
        self._act.setToolTip(view.act_tip)
        self._act.setEnabled(view.can_act and self.model.box.count() > 0)

    @property
    def _switching(self) -> bool:
        """Whether a click in the map switches a prototype off or on."""
        return self.view is self.explore_view and self.explore_view.pane is self.explore_view.switches

    def _pressed(self, label: int, component: int) -> None:
        if self._switching:
            self.explore_view.switches.toggle((label, component))

    def _show_off(self) -> None:
        self.map.strike(self.explore_view.switches.off if self._switching else ())

    def _write(self, offer: Export, path: Path) -> None:
        exporting.start(self.session, offer, path)
