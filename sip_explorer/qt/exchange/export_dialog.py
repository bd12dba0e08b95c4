"""Masks for other programs: which, whose, as what, and where."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.exchange.fields import choice_of, field_label
from sip_explorer.qt.exchange.preview import Preview
from sip_explorer.salience import MERGES
from sip_explorer.salience.exchange import FORMATS
from sip_explorer.state import Session
from sip_explorer.state.exchanging import run_export
from sip_explorer.workspace.salience_exchange import (
    ExportPreview,
    counted,
    empty_words,
    preview_export,
    target_path,
)

_MERGE_WORDS = {
    "mean": "their mean",
    "majority": "what most of them mark",
    "union": "what any of them marks",
    "intersection": "what all of them mark",
    "staple": "STAPLE",
}


class ExportDialog(QDialog):
    """Says what an export would write and what the format does not keep; "Export" starts it as a job.

    In blind mode there are only the masks of whoever paints.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export salience")
        self._session = session
        self._found: ExportPreview | None = None
        workspace = session.workspace
        self._blind = workspace is not None and workspace.setting("blind") == "1"
        self.format = choice_of("Format", {key: entry.words for key, entry in FORMATS.items()})
        self.images = choice_of("Images", self._image_choices())
        self.people = [self._person(name) for name in self._names()]
        self.merge = choice_of(
            "Several annotators", {"": "each one's own masks", **{key: _MERGE_WORDS[key] for key in MERGES}}
        )
        self.target = QLineEdit()
        self.target.setAccessibleName("Where the masks go")
        self.choose = QPushButton("Choose…")
        self.overwrite = QCheckBox("Replace files that are there already")
        self.preview = Preview(session, self._show)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setProperty("primary", "true")
        self._lay_out()
        self.format.activated.connect(self._refresh)
        self.images.activated.connect(self._ask)
        self.merge.activated.connect(self._ask)
        self.target.textChanged.connect(self._refresh)
        self.choose.clicked.connect(self._choose_target)
        self.overwrite.toggled.connect(self._refresh)
        self.buttons.accepted.connect(self._export)
        self.buttons.rejected.connect(self.reject)
        self._ask()

    def done(self, result: int) -> None:
        self.preview.forget()
        super().done(result)

    # ---- below ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        people = QVBoxLayout()
        people.setSpacing(8)
        for person in self.people:
            people.addWidget(person)
        where = QHBoxLayout()
        where.setSpacing(8)
        where.addWidget(self.target, 1)
        where.addWidget(self.choose)
        rows: list[tuple[str, QWidget | QVBoxLayout | QHBoxLayout]] = [
            ("Format", self.format),
            ("Images", self.images),
            ("Annotators", people),
            ("As", self.merge),
            ("Where", where),
        ]
        for row, (words, editor) in enumerate(rows):
            label = field_label(words)
            grid.addWidget(label, row, 0)
            if isinstance(editor, QWidget):
                label.setBuddy(editor)
                grid.addWidget(editor, row, 1)
            else:
                grid.addLayout(editor, row, 1)
        grid.addWidget(self.overwrite, len(rows), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(grid)
        layout.addWidget(self.preview, 1)
        layout.addWidget(self.buttons)
        self.resize(self.fontMetrics().averageCharWidth() * 90, self.fontMetrics().lineSpacing() * 24)

    def _image_choices(self) -> dict[str, str]:
        workspace = self._session.workspace
        shown = len(self._session.selection.images)
        choices = {"all": "all images of the workspace"}
        if shown:
            choices["shown"] = f"the {counted(shown, 'image')} in the film strip"
        for name in workspace.collections() if workspace is not None else ():
            choices[f"collection:{name}"] = f"collection {name}"
        return choices

    def _names(self) -> list[str]:
        workspace, painter = self._session.workspace, self._session.selection.annotator
        names = [person.name for person in workspace.annotators(None)] if workspace is not None else []
        return [name for name in names if name == painter or not self._blind]

    def _person(self, name: str) -> QCheckBox:
        box = QCheckBox(name.replace("&", "&&"))
        box.setAccessibleName(f"Masks of {name}")
        box.setProperty("annotator", name)
        people = [person.name for person in self._session.workspace.annotators()]  # type: ignore[union-attr]
        box.setChecked(name in people)
        box.toggled.connect(self._ask)
        return box

    def _whose(self) -> list[str]:
        return [str(box.property("annotator")) for box in self.people if box.isChecked()]

    def _ids(self) -> list[int]:
        workspace, choice = self._session.workspace, str(self.images.currentData())
        if workspace is None:
            return []
        if choice == "shown":
            return list(self._session.selection.images)
        collection = choice.removeprefix("collection:") if choice != "all" else None
        found: list[int] = workspace.image_ids(collection=collection).tolist()
        return found

    def _target(self) -> Path | None:
        text = self.target.text().strip()
        return target_path(Path(text).expanduser(), self.format.currentData()) if text else None

    def _choose_target(self) -> None:
        suffix = FORMATS[self.format.currentData()].suffix
        name, _ = QFileDialog.getSaveFileName(
            self,
            "File for the masks" if suffix else "Folder for the masks",
            self.target.text() or str(Path.home() / f"salience{suffix}"),
            options=QFileDialog.Option.DontConfirmOverwrite,  # asked here, and only where it is so
        )
        if name:
            self.target.setText(name)

    def _ask(self, *_: object) -> None:
        workspace, ids, whose, merge = (
            self._session.workspace,
            self._ids(),
            self._whose(),
            str(self.merge.currentData()),
        )
        if workspace is not None:
            self.preview.ask(lambda token: preview_export(workspace, ids, whose, merge=merge, token=token))

    def _show(self, found: ExportPreview | None) -> None:
        self._found = found
        self._refresh()

    def _refresh(self, *_: object) -> None:
        found, target, chosen = self._found, self._target(), FORMATS[self.format.currentData()]
        there = target is not None and target.exists() and not (target.is_dir() and not any(target.iterdir()))
        self.overwrite.setVisible(there)
        problem = ""
        if found is not None:
            if not found.masks:
                problem = "None of these images has masks by these annotators: choose others."
            elif not chosen.keeps_annotators and found.masks > found.images:
                problem = "This format has one mask an image: choose one annotator, or merge them."
            elif there and target is not None and target.is_dir() == bool(chosen.suffix):
                problem = f"{target} is a {'folder' if chosen.suffix else 'file'}: choose another name."
            lines = [f"{counted(found.masks, 'mask')} of {counted(found.images, 'image')}."]
            lines += [empty_words(found.empty)] if found.empty else []
            lines += [chosen.loss(found.soft)] if found.masks and chosen.loss(found.soft) else []
            if target is not None:
                lines.append(f"{target} is there already." if there else f"They go to {target}.")
            lines = [problem] if problem else lines
            if self._blind:
                lines.append("Blind mode hides other people's masks: switch it off to export theirs.")
            self.preview.show_lines(lines)
        self.go.setEnabled(
            found is not None
            and not problem
            and target is not None
            and (not there or self.overwrite.isChecked())
        )

    def _export(self) -> None:
        target = self._target()
        if target is None:
            return
        started = self._session.attempt(
            lambda: run_export(
                self._session,
                target,
                self.format.currentData(),
                self._ids(),
                self._whose(),
                merge=str(self.merge.currentData()),
                force=self.overwrite.isVisible() and self.overwrite.isChecked(),
            )
        )
        if started:
            self.accept()
