"""A note on the image on show, of the annotator who paints."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from sip_explorer.qt.widgets.saved_text import SavedText
from sip_explorer.state import Session


class NoteBox(SavedText):
    """Saved a moment after typing, and whenever it is left: for another image, person, room, the end."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(self._keep_note, parent=parent)
        self._session = session
        self._reviewing = session.reviewing
        self._of: tuple[int, str] | None = None  # whose note this is, on which image
        self.setAccessibleName("Note on this image")
        self.setPlaceholderText("Note on this image")
        session.selection.current_image_changed.connect(self._show)
        session.selection.annotator_changed.connect(self._show)
        session.workspace_changed.connect(self._show)
        self._show()

    def _keep_note(self, text: str) -> bool:
        if self._of is None:
            return False
        image, annotator = self._of
        return self._session.attempt(lambda: self._reviewing.set_note(image, annotator, text))

    def _show(self, *_: object) -> None:
        workspace, selection = self._session.workspace, self._session.selection
        image, who = selection.current_image, selection.annotator
        if workspace is not None:
            self.save()
        if workspace is None or image is None:
            self._of = None
            self.show_text(None)
        elif self._of != (image, who) or not self.hasFocus():
            self._of = (image, who)
            self.show_text(workspace.note(image, who))
            self.setReadOnly(workspace.read_only)
