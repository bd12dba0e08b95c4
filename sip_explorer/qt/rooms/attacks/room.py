"""Watch one image's perturbation grow, and sweep many images over epsilons and batch sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.attacks.form import TEST, AttackForm, Choice
from sip_explorer.qt.rooms.attacks.growth import Growth, grow
from sip_explorer.qt.rooms.attacks.growth_pane import GrowthPane
from sip_explorer.qt.rooms.attacks.sweep_job import sweep_job
from sip_explorer.qt.rooms.attacks.sweep_pane import SweepPane
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, Notice
from sip_explorer.state import Session
from sip_explorer.state.jobs import JobRow

if TYPE_CHECKING:
    from sip_explorer.records.sweeps import CellResult

LANE = "attack preview"
NO_MODEL = "No trained model is here: train one, or add one with File → Add a trained model…"


class AttackRoom(Room):
    """Follows the current image and model for the preview, the selected models for the sweep."""

    key: ClassVar[str] = "attacks"
    title: ClassVar[str] = "Attack"
    icon_name: ClassVar[str] = "attacks"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._job: JobRow | None = None
        self._begin: Callable[[], None] | None = None
        self._folder = ""
        self.growth = GrowthPane()
        self.sweep = SweepPane()
        self._empty = EmptyState(
            "Run the attack on many images to see how its success grows with epsilon and batch size.",
            "Run the attack",
            self.run,
        )
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.growth, 5)
        row.addWidget(self.sweep, 4)
        row.addWidget(self._empty, 4)
        self.centre.addLayout(row, 1)
        self.sweep.hide()
        self._cancel = self.add_button("Cancel", tip="Stop the sweep; finished cells stay")
        self._cancel.clicked.connect(self.cancel)
        self._run: QPushButton = self.add_button("Run the attack", primary=True)
        self._run.clicked.connect(self.run)
        self.form = AttackForm(session, self.inspector)
        self.form.changed.connect(self._preview)
        self.growth.epsilon_chosen.connect(self.sweep.show_epsilon)
        self.sweep.images_chosen.connect(self._show_images)
        self.sweep.problem.connect(lambda sentence: session.problem.emit(sentence, ""))
        selection = session.selection
        selection.current_image_changed.connect(self._preview)
        selection.current_model_changed.connect(self._preview)
        selection.models_changed.connect(self._show_state)
        session.workspace_changed.connect(self._workspace_changed)
        session.jobs.changed.connect(self._show_state)
        self._show_state()

    # ---- acts -----------------------------------------------------------------------------

    def run(self) -> None:
        """Sweep the chosen models over all conditions."""
        workspace = self.session.workspace
        entries = [e for e in (self.session.model(i) for i in self.session.selection.models) if e]
        choice = self._choice()
        if workspace is None or choice is None:
            return
        if not entries:
            ticked = "No model is chosen: tick at least one in the list at the right."
            self.session.problem.emit(ticked if self.form.has_models() else NO_MODEL, "")
            return
        ids = self._images(choice)
        if not len(ids):
            where = "test images" if choice.images == TEST else "images in the film strip"
            self.session.problem.emit(f"There are no {where}: choose other images under “From”.", "")
            return
        names = ", ".join(entry.name for entry in entries)
        source = "test images" if choice.images == TEST else "images of the film strip"
        title = (
            f"{len(ids):,} {source} · {choice.words} · bands: 95 % intervals · "
            "click a point for the images behind it"
        )
        self._folder = ""
        self._begin = lambda: self.sweep.start(title, choice.norm, choice.steps, choice.step_rule)
        size = self._size(ids)
        job = sweep_job(
            [(entry.name, lambda e=entry: self.session.load_classifier(e)) for entry in entries],
            lambda: workspace.images(ids, size),
            workspace.labels(ids),
            workspace.classes,
            ids,
            choice,
            lambda: workspace.new_sweep_folder(names),
        )
        self._job = self.session.jobs.run(f"attack {names}", job, self._swept)
        self._show_state()

    def cancel(self) -> None:
        """Stop the sweep; finished cells stay."""
        if self._job is not None:
            self._job.handle.token.cancel()

    def entered(self) -> None:
        self._preview()

    def left(self) -> None:
        self.session.jobs.drop(LANE)
        self.growth.playback.finish()

    # ---- the preview ----------------------------------------------------------------------

    def _preview(self, *_: object) -> None:
        workspace, selection = self.session.workspace, self.session.selection
        entry, image_id = self.session.model(selection.current_model), selection.current_image
        choice = self._choice(quiet=True)
        if not self.isVisible():
            return
        if workspace is not None and entry is None:
            self.session.jobs.drop(LANE)
            self.set_subject("")
            self.growth.show_message(NO_MODEL)
        if workspace is None or entry is None or image_id is None or choice is None:
            return
        label = int(workspace.labels([image_id])[0])
        name = workspace.classes[label] if 0 <= label < len(workspace.classes) else "no class"
        self.set_subject(f"{name} · {entry.name}")
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

    # ---- the sweep ------------------------------------------------------------------------

    def _swept(self, event: Event) -> None:
        if isinstance(event, Artefact) and event.kind == "sweep":
            self._folder = event.path
        elif isinstance(event, Artefact) and event.kind == "cell":
            self._take([event.data])
        elif isinstance(event, Notice):
            self.session.notice.emit(event.message)
        elif isinstance(event, Failed):
            self.session.problem.emit(event.message, event.detail)
        elif isinstance(event, Finished) and event.outcome == "cancelled":
            self._gather()
        if isinstance(event, Finished | Failed):
            self._job = None
        self._show_state()

    def _take(self, cells: list[CellResult]) -> None:
        """Show finished cells; what was on show before stays until the first one is known."""
        if self._begin is not None:
            self._begin()
            self._begin = None
            self._empty.hide()
            self.sweep.show()
        for cell in cells:
            self.sweep.results.add(cell)
        self.sweep.redraw()

    def _gather(self) -> None:
        """Show also the cells that were finished while the word to cancel was on its way."""
        folder = self._folder

        def job(_token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.records.sweeps import read_sweep

            yield Artefact("cells", data=read_sweep(folder) if folder else [])

        self.session.jobs.ask("attack cells", job, self._gathered, on="disk")

    def _gathered(self, event: Event) -> None:
        if isinstance(event, Artefact):
            cells = event.data
            if cells:
                self._take(cells)
            self.session.notice.emit(f"The attack was cancelled; its {len(cells):,} finished cells are kept.")
        elif isinstance(event, Failed):
            self.session.problem.emit(event.message, event.detail)

    def _show_images(self, ids: list[int], words: str) -> None:
        """Go to the images behind a point."""
        if not ids:
            self.session.notice.emit(f"No image is {words}.")
            return
        self.session.selection.images = ids
        self.session.selection.current_image = ids[0]
        self.session.notice.emit(f"The film strip shows the {len(ids):,} images {words}.")

    def _images(self, choice: Choice) -> np.ndarray:
        workspace = self.session.workspace
        if workspace is None:
            return np.empty(0, np.int64)
        if choice.images == TEST:
            ids = workspace.image_ids(split="test")
        else:
            ids = np.array(self.session.selection.images, np.int64)
        if len(ids) > choice.count:
            ids = ids[np.linspace(0, len(ids) - 1, choice.count).round().astype(np.int64)]
        return ids

    def _size(self, ids: np.ndarray) -> tuple[int, int] | None:
        """One size for images of several sizes: the first one's."""
        workspace = self.session.workspace
        assert workspace is not None
        shapes = workspace.image_shapes(ids)
        return None if (shapes == shapes[0]).all() else (int(shapes[0, 0]), int(shapes[0, 1]))

    def _choice(self, quiet: bool = False) -> Choice | None:
        try:
            return self.form.choice()
        except ValueError as error:
            if not quiet:
                self.session.problem.emit(str(error), "")
            return None

    # ---- state ----------------------------------------------------------------------------

    def _workspace_changed(self, _workspace: object) -> None:
        self.set_subject("")
        self.growth.show_message("")
        self.sweep.hide()
        self._empty.show()
        self._show_state()
        self._preview()

    def _show_state(self, *_: object) -> None:
        running = self._job is not None
        self._cancel.setVisible(running)
        self._run.setEnabled(not running)
        self._run.setToolTip("An attack is running" if running else "Attack the ticked models on many images")
