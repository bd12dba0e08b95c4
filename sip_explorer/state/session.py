"""The open program: its workspace, selection, models, jobs and settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import EmitLoopError, Signal

from sip_explorer.jobs import Mailbox
from sip_explorer.records import SipError
from sip_explorer.state.annotator import annotator_for, known_name
from sip_explorer.state.jobs import JobList
from sip_explorer.state.keymap import Keymap
from sip_explorer.state.model_adding import add_chosen
from sip_explorer.state.models import ModelShelf
from sip_explorer.state.painting import Painting
from sip_explorer.state.reviewing import Reviewing
from sip_explorer.state.selection import Selection
from sip_explorer.state.settings import Settings

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry, Workspace


class Session:
    """Composed once by the face; rooms are handed it and subscribe to its signals.

    Its parts: ``settings``, ``keymap``, ``jobs``, ``selection``, ``painting``, ``reviewing``, and the open
    ``workspace``.

    Signals
    -------
    workspace_changed(Workspace | None)
        Another workspace is open.
    models_changed()
        A model was added, or a run finished: list ``models`` anew.
    library_changed()
        Images were added, or classes, labels, tags or splits changed: read them anew.
    pictures_moved()
        Files that were missing were found elsewhere.
    masks_changed(int)
        The mask of this image id changed.
    problem(str, str)
        One sentence for a person, and details to copy (may be empty).
    problem_solved(str)
        This sentence no longer holds.
    notice(str)
        One sentence of good or neutral news.
    saved(float)
        The last stroke is on disk since this POSIX time.
    """

    workspace_changed = Signal(object)
    models_changed = Signal()
    library_changed = Signal()
    pictures_moved = Signal()
    masks_changed = Signal(int)
    problem = Signal(str, str)
    problem_solved = Signal(str)
    notice = Signal(str)
    saved = Signal(float)

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.keymap = Keymap(self.settings)
        self.mailbox = Mailbox()
        self.jobs = JobList(self.mailbox)
        self.shelf = ModelShelf()
        self.selection = Selection()
        self.painting = Painting(self)
        self.workspace: Workspace | None = None
        self.reviewing = Reviewing(self)
        self._models: list[ModelEntry] = []
        self._unsaved = ""

    # ---- workspace ------------------------------------------------------------------------

    def open_workspace(self, path: Path | str) -> None:
        """Open a workspace folder and make it the current one.

        Raises
        ------
        SipError
            If the folder is no workspace; the one that was open stays open.
        """
        from sip_explorer.workspace import Workspace

        path = Path(path).resolve()
        if self.workspace is not None and self.workspace.path == path:
            return
        workspace = Workspace.open(path)
        try:
            annotator = annotator_for(workspace, self.settings["annotator"])
            self.close_workspace()
        except SipError:
            workspace.close()
            raise
        self.workspace = workspace
        workspace.on_save_problem = self._save_problem
        self.settings["last_workspace"] = str(workspace.path)
        self.refresh_models()
        self.selection.annotator = annotator
        self.workspace_changed.emit(workspace)  # the film strip lists the first collection
        if workspace.read_only:
            self.notice.emit(workspace.lock_holder)

    def open_demo(self) -> None:
        """Open the demo workspace, copying it to the user's data folder at the first start."""
        from sip_explorer.workspace import open_demo

        self.open_workspace(open_demo())

    def open_last(self) -> None:
        """Open the last workspace; where it is gone or damaged, say so and open the demo."""
        from sip_explorer.workspace import user_data_folder

        last = self.settings["last_workspace"]
        # The demo goes through `open_demo`, which brings what a newer program ships with it.
        if last and Path(last) != user_data_folder() / "demo":
            try:
                self.open_workspace(last)
                return
            except SipError as error:
                self.problem.emit(str(error), "")
        self.open_demo()

    def close_workspace(self, *, discard: bool = False) -> None:
        """Close the open workspace, if any.

        Raises
        ------
        SipError
            If strokes cannot be saved: the workspace stays open; ``discard`` gives them up.
        """
        if self.workspace is None:
            return
        shown = self.selection.current_image
        self.selection.current_image = None  # the canvas finishes a stroke under way
        try:
            self.workspace.close(discard=discard)
        except SipError:
            self.selection.current_image = shown
            raise
        self.workspace = None
        self._models = []
        self.painting.forget()
        self.selection.images = ()
        self.selection.models = ()
        self.selection.current_model = None

    def choose_annotator(self, name: str) -> None:
        """Paint as ``name`` from now on, adding the annotator where it is new."""
        if self.workspace is None:
            raise SipError("No workspace is open: open one before choosing an annotator.")
        known = known_name(self.workspace, name)
        if known is None:
            known = self.workspace.add_annotator(name).name
        self.settings["annotator"] = known
        self.selection.annotator = known

    # ---- models ---------------------------------------------------------------------------

    @property
    def models(self) -> list[ModelEntry]:
        """The trained models of the open workspace, newest run last."""
        return self._models

    def model(self, model_id: str | None) -> ModelEntry | None:
        """Return the entry of a model id, or None if it is not (or no longer) there."""
        return next((entry for entry in self._models if entry.id == model_id), None)

    def add_model(self, path: Path | str) -> None:
        """Copy a checkpoint into the workspace, inspected first, and select it.

        Raises
        ------
        SipError
            If the file cannot be read as a model.
        """
        if self.workspace is None:
            raise SipError("No workspace is open: open one before adding a model.")
        self.take_model(self.workspace.add_model(Path(path)))

    def import_model(self, path: Path | str) -> None:
        """Do what `add_model` does as a job: a large file, or the first import of torch, takes seconds."""
        add_chosen(self, Path(path))

    def take_model(self, entry: ModelEntry) -> None:
        """List a model that was just added, select it, and say so."""
        self.refresh_models()
        if entry.kind == "classifier":
            self.selection.current_model = entry.id
            if entry.id not in self.selection.models:
                self.selection.models = (*self.selection.models, entry.id)
        self.notice.emit(f"{entry.name} is among the models.")

    def refresh_models(self) -> None:
        """List the models anew, keep the selection where it still holds, choose one where none is."""
        self._models = list(self.workspace.models()) if self.workspace is not None else []
        known = {entry.id for entry in self._models}
        classifiers = [entry.id for entry in self._classifiers()]
        kept = tuple(i for i in self.selection.models if i in known)
        self.selection.models = kept or tuple(classifiers[:1])
        if self.selection.current_model not in known:
            self.selection.current_model = classifiers[0] if classifiers else None
        self.models_changed.emit()

    def _classifiers(self) -> list[ModelEntry]:
        """The classifiers: those that know this workspace's classes first, of these the cleanly trained."""
        classes = set(self.workspace.classes) if self.workspace is not None else set()

        def strangeness(entry: ModelEntry) -> tuple[bool, bool]:
            origin = entry.metadata.get("origin")
            method = origin.get("method") if isinstance(origin, dict) else None
            return set(entry.metadata.get("classes", ())) != classes, method != "clean"

        return sorted((entry for entry in self._models if entry.kind == "classifier"), key=strangeness)

    def load_classifier(self, entry: ModelEntry) -> Any:
        """Return the classifier on the device, in eval mode. Device thread only."""
        return self.shelf.classifier(entry, device_now())

    def load_protoflow(self, entry: ModelEntry) -> Any:
        """Return the flow on the device, in eval mode. Device thread only."""
        return self.shelf.protoflow(entry, device_now())

    # ---- the rest -------------------------------------------------------------------------

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do ``act``; show its `SipError` as a problem. True if it went well."""
        try:
            act()
        except (SipError, EmitLoopError) as error:  # the latter wraps what a listener of a signal raised
            cause = root_cause(error)
            if not isinstance(cause, SipError):
                raise
            self.problem.emit(str(cause), cause.detail)
            return False
        return True

    def close(self, *, discard: bool = False) -> bool:
        """End all work and close the workspace; False if a thread did not end in time.

        Raises
        ------
        SipError
            If strokes cannot be saved; the session stays usable. ``discard`` gives them up.
        """
        ended = self.jobs.close()
        self.mailbox.drain(budget=1.0)
        self.close_workspace(discard=discard)
        self.mailbox.drain(budget=1.0)
        # An event that was on its way may have asked for more work.
        return self.jobs.close() and ended

    def _save_problem(self, sentence: str) -> None:
        # Called in the writer thread: the sentence says what cannot be saved, empty when mended.
        self.mailbox.post(lambda: self._tell_of_saving(sentence))

    def _tell_of_saving(self, sentence: str) -> None:
        if self._unsaved:
            self.problem_solved.emit(self._unsaved)
        self._unsaved = sentence
        if sentence:
            self.problem.emit(sentence, "")
        else:
            self.notice.emit("Everything is saved again.")


def device_now() -> str:
    """Return the device that the device thread works on: cuda, mps or cpu. Device thread only."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def root_cause(error: BaseException) -> BaseException:
    """Return what a listener raised, without the wrapping of the signals that passed it on."""
    while isinstance(error, EmitLoopError) and error.__cause__ is not None:
        error = error.__cause__
    return error


__all__ = ["Session", "device_now", "root_cause"]
