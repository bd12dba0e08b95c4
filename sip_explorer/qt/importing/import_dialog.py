"""Images that lie elsewhere: what comes in, where it goes, and one button that does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.exchange.fields import link_button
from sip_explorer.qt.exchange.preview_request import PreviewRequest
from sip_explorer.qt.importing.found_view import FoundView
from sip_explorer.qt.importing.source_row import SourceRow
from sip_explorer.qt.importing.told_view import ToldView
from sip_explorer.qt.importing.where_form import WhereForm
from sip_explorer.qt.room import separator
from sip_explorer.state import Session
from sip_explorer.state.dropping import Dropped
from sip_explorer.state.first_look import PICTURES
from sip_explorer.state.importing import run_add, run_new
from sip_explorer.state.recognising import Recognising
from sip_explorer.workspace import ImportPreview

_LANE = "images preview"
_NAMED = 5  # problems that `ImportPreview.lines` names; here they have a place of their own


class ImagesDialog(QDialog):
    """Shows some of the images first; the primary button starts the import as a job.

    Parameters
    ----------
    paths
        A folder, a file or several; without any, they are chosen here.
    adds
        Whether the open workspace is suggested rather than a new one.
    recognising
        What says whether the files may be masks as well.
    as_masks
        Called with the paths where a person says that they are masks.
    """

    def __init__(
        self,
        session: Session,
        recognising: Recognising,
        paths: Sequence[Path] = (),
        *,
        adds: bool = False,
        as_masks: Callable[[Sequence[Path]], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import images")
        self._session, self._recognising, self._as_masks = session, recognising, as_masks
        self._paths: list[Path] = []
        self._dropped: Dropped | None = None
        self._found: ImportPreview | None = None
        self.source = SourceRow()
        self.found = FoundView()
        self.told = ToldView()
        self.where = WhereForm(session)
        self.other = link_button("These could also be masks: import them as salience…")
        self.problem = QLabel()
        self.problem.setProperty("role", "bad")
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton("Make the workspace", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setProperty("primary", "true")
        self._request = PreviewRequest(session, _LANE, self._answer, self.found.show_words)
        self._lay_out()
        self.go.setDefault(True)  # once it is in the dialogue, or it is so only while it has the focus
        self.source.chosen.connect(self.take)
        self.where.changed.connect(self._refresh)
        self.other.clicked.connect(self._mean_masks)
        self.buttons.accepted.connect(self._import)
        self.buttons.rejected.connect(self.reject)
        self.where.choose_open(adds)
        self._refresh()
        if paths:
            self.take(paths)

    def take(self, paths: Sequence[Path]) -> None:
        """Look at these images."""
        self._paths = list(paths)
        self.source.show_paths(paths)
        self._dropped = None
        self._request.ask(lambda token: self._recognising.look(self._paths, token))

    def done(self, result: int) -> None:
        self._request.forget()
        super().done(result)

    # ---- below ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.setSpacing(12)
        right.addWidget(self.where)
        right.addWidget(self.told, 1)
        right.addWidget(self.problem)
        column = QWidget()
        column.setLayout(right)
        right.setContentsMargins(0, 0, 0, 0)
        column.setFixedWidth(self.fontMetrics().averageCharWidth() * 52)
        middle = QHBoxLayout()
        middle.setSpacing(16)
        middle.addWidget(self.found, 1)
        middle.addWidget(separator(Qt.Orientation.Vertical))
        middle.addWidget(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.source)
        layout.addWidget(separator(Qt.Orientation.Horizontal))
        layout.addLayout(middle, 1)
        layout.addWidget(self.other, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.buttons)
        unit = self.fontMetrics()
        self.resize(unit.averageCharWidth() * 148, unit.lineSpacing() * 34)

    def _answer(self, answer: Any) -> None:
        if isinstance(answer, Dropped):
            self._dropped = answer
            return
        self._found = answer
        if isinstance(answer, ImportPreview):
            self.found.show_found(answer)
            self.told.show_left_out(answer.problems)
            self.where.show_found(answer, self._paths, self._single)
        self._refresh()
        if self.go.isEnabled():
            self.go.setFocus()

    @property
    def _single(self) -> bool:
        """Whether pictures were picked one by one."""
        return bool(self._paths) and all(path.suffix.lower() in PICTURES for path in self._paths)

    def _refresh(self) -> None:
        found, where = self._found, self.where
        for widget in (where, self.told):
            widget.setVisible(found is not None)
        dropped = self._dropped
        self.other.setVisible(dropped is not None and "masks" in (dropped.kind, dropped.other))
        problem = where.problem() if found is not None else ""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        if found is not None:
            lines = found.lines(
                test_share=where.test_share, seed=where.seed.value(), copy=where.copies, added=where.adds
            )
            if found.problems:  # they stand in a section of their own
                named = min(len(found.problems), _NAMED) + (len(found.problems) > _NAMED)
                lines = lines[:-named]
            headline, told = lines[0][0].upper() + lines[0][1:].rstrip("."), lines[1:]
            if self._single:  # that each is a picture without a class needs no words
                headline, told = self._counted(), [line for line in told if line not in found.notes]
            self.found.say(headline)
            self.told.say(told)
        self.go.setText(f"Add {self._counted()}" if where.adds else "Make the workspace")
        self.go.setEnabled(found is not None and not problem)

    def _counted(self) -> str:
        """Return how many images come in, in words."""
        noun = "picture" if self._single else "image"
        if self._found is None:
            return f"the {noun}s"
        return f"1 {noun}" if self._found.images == 1 else f"{self._found.images:,} {noun}s"

    def _mean_masks(self) -> None:
        self.reject()
        self._as_masks(self._paths)

    def _import(self) -> None:
        where, session, paths = self.where, self._session, self._paths
        target = where.target

        def act() -> None:
            if where.adds:
                run_add(
                    session,
                    paths,
                    copy=where.copies,
                    label=where.class_name,
                    collection=where.collection_name,
                    test_share=where.test_share,
                    seed=where.seed.value(),
                )
            elif target is not None:
                run_new(
                    session,
                    paths,
                    target,
                    name=where.name.text().strip(),
                    copy=where.copies,
                    test_share=where.test_share,
                    seed=where.seed.value(),
                )

        if self._found is not None and session.attempt(act):
            self.accept()
