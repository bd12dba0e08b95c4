"""The recipe's form on the open workspace: its images, models and painted salience."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from sip_explorer.qt.rooms.training.recipe_form import RecipeForm
from sip_explorer.qt.rooms.training.run_order import PROCESS, WINDOW, RunOrder
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.rooms.training.salience_count import SalienceCount, count_salience, salience_sentence
from sip_explorer.qt.rooms.training.words import CHOICES
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.records import Artefact, Event
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.training.any_recipe import AnyRecipe
    from sip_explorer.workspace import ModelEntry

LANE = "training architectures"
DEMO_EPSILON = 0.1  # grey images of the MNIST family: the recipe's own default
COLOUR_EPSILON = 8 / 255
LARGE = 64  # pixels; beyond that the small network is no match


class RecipePanel(QObject):
    """Keeps the form's lists and its sentence about salience true.

    Signals
    -------
    changed()
        ``problem`` may be another.
    """

    changed = Signal()

    def __init__(self, session: Session, inspector: Inspector, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.form = RecipeForm(inspector, self)
        self.form.fields["reference"].setAccessibleName("Model whose maps are salience")
        self._counts: dict[tuple[str, str], SalienceCount] = {}
        self._asked = False
        # Strokes come in bursts: one count after the last.
        self._recount = QTimer(self)
        self._recount.setSingleShot(True)
        self._recount.setInterval(300)
        self._recount.timeout.connect(self._count_anew)
        place = self.form.fields["place"]
        place.set_value(PROCESS if session.settings["run_in"] == PROCESS else WINDOW)
        place.changed.connect(self._remember_place)
        self.form.changed.connect(self._refresh)
        session.workspace_changed.connect(self._take_workspace)
        session.models_changed.connect(self._take_models)
        session.library_changed.connect(self._take_library)
        session.masks_changed.connect(self._masks_changed)
        session.selection.annotator_changed.connect(self._count_anew)
        self._take_workspace(session.workspace)

    def entered(self) -> None:
        """The room came on show: count anew, and learn what the device thread knows."""
        self._count_anew()
        if not self._asked:
            self._asked = True
            self._session.jobs.ask(LANE, lambda _token: _architectures(), self._take_architectures)

    def left(self) -> None:
        """The room went out of sight."""
        self._recount.stop()

    @property
    def obstacle(self) -> str:
        """Why no run at all can be started in this workspace, or empty."""
        workspace = self._session.workspace
        if workspace is None:
            return "No workspace is open: open one first."
        if workspace.read_only:
            return workspace.lock_holder or "This workspace is open to read only."
        return ""

    @property
    def problem(self) -> str:
        """Why no run can start with what the form holds, or empty."""
        return self.obstacle or self.form.first_problem

    def order(self, name: str) -> RunOrder:
        """Return the order of a new run by the recipe of the form; `SipError` where a value cannot stand."""
        snapshot = self.form.value("snapshot") if self.form.matters("snapshot") else ""
        return self._order(self.form.recipe(name=name), name, snapshot=Path(snapshot) if snapshot else None)

    def order_again(
        self, run: RunTail, name: str, *, folder: Path | None = None, snapshot: Path | None = None
    ) -> RunOrder:
        """Return the order to go on with ``run``: in its ``folder``, or as a new run from a ``snapshot``."""
        recipe = self.form.recipe_of({**run.recipe, "name": name})
        return self._order(recipe, name, folder=folder, snapshot=snapshot)

    def load(self, recipe: Mapping[str, Any], name: str, snapshots: Mapping[int, Path]) -> None:
        """Show the recipe of the run ``name``, and offer its snapshots to go on from."""
        choices = [("", "The beginning")]
        choices += [(str(path), f"Epoch {epoch} of {name}") for epoch, path in snapshots.items()]
        self.form.choice("snapshot").set_choices(choices)
        self.form.fields["snapshot"].restore()
        self.form.load(recipe)

    def _order(
        self, recipe: AnyRecipe, name: str, *, folder: Path | None = None, snapshot: Path | None = None
    ) -> RunOrder:
        workspace = self._session.workspace
        assert workspace is not None
        reference = self._session.model(self.form.value("reference")) if recipe.needs_reference else None
        return RunOrder(
            name=name,
            recipe=recipe,
            folder=folder or workspace.new_run_folder(name),
            reference=reference,
            resume=folder is not None,
            snapshot=snapshot,
            place=str(self.form.value("place")),
        )

    def suggested_name(self) -> str:
        """Return a name that says what the run is, for a field left empty."""
        method = self.form.choice("method").words
        images = self.form.choice("collection").words
        return method if not self.form.value("collection") else f"{method}, {images}"

    def _remember_place(self) -> None:
        self._session.settings["run_in"] = self.form.value("place")

    # ---- what is on offer -----------------------------------------------------------------

    def _take_workspace(self, workspace: object) -> None:
        self._counts.clear()
        self._recount.stop()
        if workspace is None or self._session.workspace is None:
            return
        names = self._session.workspace.collections()
        collections = [("", "All training images"), *((name, name[:1].upper() + name[1:]) for name in names)]
        self.form.choice("collection").set_choices(collections)
        self._take_defaults()
        self._take_models()
        self._count_anew()

    def _take_library(self) -> None:
        """Other classes, labels or splits: other models fit, and other images are trained on."""
        self._counts.clear()
        self._take_models()

    def _take_defaults(self) -> None:
        """Photos need another epsilon and another network than the demo's garments."""
        workspace = self._session.workspace
        ids = workspace.image_ids() if workspace is not None else ()
        if workspace is None or not len(ids):
            return
        height, width, channels = workspace.image_shape(int(ids[0]))
        self.form.fields["epsilon"].set_default(DEMO_EPSILON if channels == 1 else COLOUR_EPSILON)
        large = max(height, width) > LARGE or height != width or height % 4
        wanted = "resnet18" if large and channels == 3 else "small-cnn"
        field = self.form.choice("architecture")
        if wanted not in field.choices:
            field.set_choices([(name, name) for name in (*field.choices, wanted)])
        field.set_default(wanted)

    def _take_models(self) -> None:
        entries = [entry for entry in self._session.models if self._fits(entry)]
        choices = [(entry.id, entry.name) for entry in entries]
        field = self.form.choice("reference")
        untouched = field.is_default() or not field.value()
        field.set_choices(choices)
        clean = [entry.id for entry in entries if _method(entry) == "clean"]
        known = [entry.id for entry in entries if entry.metadata]
        field.set_default((clean or known or [entry.id for entry in entries] or [""])[0])
        if untouched:
            field.restore()
        starts = [("", "Fresh weights"), *((str(entry.path), entry.name) for entry in entries)]
        self.form.choice("start").set_choices(starts)
        self._refresh()

    def _fits(self, entry: ModelEntry) -> bool:
        """Whether a model may know these classes and channels; one that says nothing may."""
        workspace = self._session.workspace
        if entry.kind != "classifier" or workspace is None:
            return False
        classes = entry.metadata.get("classes")
        shape = entry.metadata.get("input_shape")
        ids = workspace.image_ids()
        channels = workspace.image_shape(int(ids[0]))[2] if len(ids) else None
        return (classes is None or len(classes) == len(workspace.classes)) and (
            shape is None or channels is None or shape[0] == channels
        )

    def _take_architectures(self, event: Event) -> None:
        if isinstance(event, Artefact):
            names, device = event.data
            self.form.choice("architecture").set_choices([(name, name) for name in names])
            devices = ("auto", "cpu", *((device,) if device in CHOICES["device"] and device != "cpu" else ()))
            self.form.choice("device").set_choices([(value, CHOICES["device"][value]) for value in devices])

    # ---- the sentence about salience ------------------------------------------------------

    def _masks_changed(self, _image: int) -> None:
        self._counts.clear()
        if self.form.salience_note.isVisible():
            self._recount.start()

    def _count_anew(self, *_: Any) -> None:
        self._counts.clear()
        self._refresh()

    def _refresh(self) -> None:
        workspace = self._session.workspace
        if workspace is None:
            self.form.salience_note.clear()
            self.changed.emit()
            return
        form, annotator = self.form, self._session.selection.annotator
        form.set_annotator(annotator)
        collection = form.value("collection") or ""
        painter = annotator if form.value("merge") == "none" else ""
        key = (collection, painter)
        if key not in self._counts:
            self._counts[key] = count_salience(workspace, collection, painter)
        count = self._counts[key]
        reference = form.choice("reference")
        words = reference.words if reference.value() else ""
        sentence = salience_sentence(count, form.value("method"), form.value("salience"), words)
        form.salience_note.setText(sentence)
        form.set_problem("collection", "" if count.images else "There are no training images: choose others.")
        # A painted collection asks no model, whatever comes after "else".
        painted = str(form.value("salience")).startswith("painted") and count.painted == count.images
        missing = form.matters("reference") and not reference.value() and not painted
        form.set_problem(
            "reference",
            "No trained model fits these images: add one, or choose painted salience." if missing else "",
        )
        name = form.fields["name"]
        name.editor.setPlaceholderText(self.suggested_name())  # type: ignore[attr-defined]
        self.changed.emit()


def _method(entry: ModelEntry) -> str:
    origin = entry.metadata.get("origin")
    return str(origin.get("method", "")) if isinstance(origin, dict) else ""


def _architectures() -> Iterator[Event | None]:
    from sip_explorer.models import architecture_names
    from sip_explorer.state.session import device_now

    yield Artefact("architectures", data=(architecture_names(), device_now()))
