"""Watch one image's perturbation grow; beside it the bench, which works on many images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QSplitter

from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.attacks.bench import Bench
from sip_explorer.qt.rooms.attacks.bench_view import NO_MODEL
from sip_explorer.qt.rooms.attacks.evaluate import EvaluateView
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.growth import Growth, GrowthPane, grow
from sip_explorer.qt.rooms.attacks.health import HealthView
from sip_explorer.qt.rooms.attacks.sweep import SweepView
from sip_explorer.qt.rooms.attacks.transfer import TransferView
from sip_explorer.records import Artefact, CancelToken, Event, Failed
from sip_explorer.state import Session

LANE = "attack preview"


class AttackRoom(Room):
    """Follows the current image and model for the preview; the bench's views follow the selected models."""

    key: ClassVar[str] = "attacks"
    title: ClassVar[str] = "Attack"
    icon_name: ClassVar[str] = "attacks"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.growth = GrowthPane()
        self.form = AttackForm(session, self.inspector)
        self.sweep = SweepView(session, self.form)
        self.evaluate = EvaluateView(session, self.form)
        self.transfer = TransferView(session, self.form)
        self.health = HealthView(session, self.form)
        self.bench = Bench((self.sweep, self.evaluate, self.transfer, self.health))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(14)
        split.setStyleSheet("QSplitter::handle { background: transparent; }")
        split.addWidget(self.growth)
        split.addWidget(self.bench)
        split.setSizes([5000, 4000])  # shares
        self.centre.addWidget(split, 1)
        self._cancel = self.add_button("Cancel", tip="Stop; what is finished stays")
        self._cancel.clicked.connect(lambda: self.bench.view.cancel())
        self._run: QPushButton = self.add_button(self.sweep.act, primary=True)
        self._run.clicked.connect(lambda: self.bench.view.run())
        self.form.changed.connect(self._preview)
        self.growth.epsilon_chosen.connect(self.sweep.show_epsilon)
        self.growth.epsilon_chosen.connect(self.evaluate.show_epsilon)
        for view in self.bench.views:
            view.images_chosen.connect(self._show_images)
        self.bench.changed.connect(self._show_state)
        selection = session.selection
        selection.current_image_changed.connect(self._preview)
        selection.current_model_changed.connect(self._preview)
        session.workspace_changed.connect(self._workspace_changed)
        session.library_changed.connect(self._preview)
        self._show_state()

    def entered(self) -> None:
        self._preview()
        self.bench.view.shown()

    def left(self) -> None:
        self.session.jobs.drop(LANE)
        self.growth.playback.finish()

    # ---- the preview ----------------------------------------------------------------------

    def _preview(self, *_: object) -> None:
        workspace, selection = self.session.workspace, self.session.selection
        entry, image_id = self.session.model(selection.current_model), selection.current_image
        if not self.isVisible():
            return
        if workspace is not None and entry is None:
            self.session.jobs.drop(LANE)
            self.set_subject("")
            self.growth.show_message(NO_MODEL)
        if workspace is None or entry is None or image_id is None:
            return
        try:
            choice = self.form.choice()
        except ValueError:  # said beside the field; the last preview stays
            return
        label = int(workspace.labels([image_id])[0])
        name = workspace.classes[label] if 0 <= label < len(workspace.classes) else "no class"
        self.set_subject(f"{workspace.image_name(image_id) if label < 0 else name} · {entry.name}")
        classes = workspace.classes

        def job(token: CancelToken) -> Iterator[Event | None]:
            yield from grow(
                lambda: self.session.load_classifier(entry),
                entry.name,
                choice.attack(choice.variant),
                lambda: workspace.image(image_id),
                image_id,
                label,
                classes,
                choice.epsilons,
                choice.batch_sizes,
            )(token)

        if self.growth.growth is None:
            self.growth.show_message("The attack on this image begins once the model is loaded.")
        self.session.jobs.ask(LANE, job, self._grown)

    def _grown(self, event: Event) -> None:
        if isinstance(event, Artefact) and isinstance(event.data, Growth):
            self.growth.show_growth(event.data)
        elif isinstance(event, Failed):
            self.growth.show_message(event.message)

    # ---- the bench ------------------------------------------------------------------------

    def _show_images(self, ids: list[int], words: str) -> None:
        """Go to the images behind a figure."""
        if not ids:
            self.session.notice.emit(f"No image is {words}.")
            return
        self.session.selection.images = ids
        self.session.selection.current_image = ids[0]
        self.session.notice.emit(f"The film strip shows the {len(ids):,} images {words}.")

    def _workspace_changed(self, _workspace: object) -> None:
        self.set_subject("")
        self.growth.show_message("")
        for view in self.bench.views:
            view.forget()
        self._preview()
        if self.isVisible():
            self.bench.view.shown()

    def _show_state(self, *_: object) -> None:
        view = self.bench.view
        self._cancel.setVisible(view.running)
        self._run.setEnabled(not view.running)
        self._run.setText(view.act)
        self._run.setToolTip("This is running" if view.running else view.act_tip)
