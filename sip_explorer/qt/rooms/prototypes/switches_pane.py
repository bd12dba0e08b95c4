"""Explore, switched off: what the flow does without some of its prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from sip_explorer.qt.rooms.prototypes import explore_requests, exporting
from sip_explorer.qt.rooms.prototypes.explore_requests import Accuracies, Without
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.galleries import Galleries
from sip_explorer.qt.rooms.prototypes.requests import Cell
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, heading, muted
from sip_explorer.qt.widgets.figure_table import FigureTable
from sip_explorer.qt.widgets.share_bars import ShareBars

SHOWN = 5


class SwitchesPane(PrototypeView):
    """A click on a prototype in the map switches it off or on while this is on show.

    Signals
    -------
    off_changed()
        Other prototypes are switched off.
    """

    word: ClassVar[str] = "Switch off"
    tip: ClassVar[str] = "What the flow does without some of its prototypes"
    act = "Switch all on"
    act_tip = "Take every prototype back"

    off_changed = Signal()

    def __init__(self, subject: Subject, galleries: Galleries) -> None:
        super().__init__(subject)
        self._galleries = galleries
        self.off: frozenset[Cell] = frozenset()
        self.last: Without | None = None
        self.last_accuracies: Accuracies | None = None
        self.can_act = False
        self.title = heading()
        self.title.setWordWrap(True)
        self._image_title = heading("The image")
        self.sentence = muted(wrapped=True)
        self.before = ShareBars("Responsible prototypes, all switched on")
        self.after = ShareBars("Responsible prototypes without those switched off")
        bars = QHBoxLayout()
        bars.setSpacing(24)
        for words, part in (("all on", self.before), ("without those switched off", self.after)):
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(muted(words))
            column.addWidget(part)
            bars.addLayout(column, 1)
        self._test_title = heading("Test images")
        self.accuracy = muted(wrapped=True)
        self.index = QPushButton("Index the images")
        self.index.setToolTip("Encode training and test images once; then every switch answers at once")
        self.index.clicked.connect(galleries.build)
        self.go = QPushButton("Show the changed images")
        self.go.setToolTip("The film strip lists the test images whose prediction changes")
        self.go.clicked.connect(self._go)
        buttons = QHBoxLayout()
        buttons.addWidget(self.index)
        buttons.addWidget(self.go)
        buttons.addStretch(1)
        self.table = FigureTable("Accuracy of every class before and after")
        self.column.addWidget(self.title)
        self.column.addSpacing(4)
        self.column.addWidget(self._image_title)
        self.column.addWidget(self.sentence)
        self.column.addLayout(bars)
        self.column.addSpacing(4)
        self.column.addWidget(self._test_title)
        self.column.addWidget(self.accuracy)
        self.column.addLayout(buttons)
        self.column.addWidget(self.table, 50)
        self.column.addStretch(1)
        self._lane = self.lane("switched off", self._show)
        galleries.changed.connect(self._galleries_changed)
        subject.image_changed.connect(self.ask)
        self.forget()

    def shown(self) -> None:
        self._galleries_changed()

    def forget(self) -> None:
        self._lane.drop()
        self.last = self.last_accuracies = None
        self.before.set_rows(())
        self.after.set_rows(())
        self.sentence.setText("")
        self._set_off(frozenset())

    def run(self) -> None:
        self._set_off(frozenset())
        self.ask()

    def toggle(self, cell: Cell) -> None:
        """Switch a prototype off, or on again; the last one stays."""
        off = self.off ^ {cell}
        classes, components = self.subject.grid
        if len(off) == classes * components:
            self.session.notice.emit("One prototype has to stay: switch another one on first.")
            return
        self._set_off(off)
        self.ask()

    def ask(self, *_: object) -> None:
        """Ask what happens to the image and to the test images."""
        subject, read = self.subject, self.subject.reader()
        if subject.kept is None or subject.means is None or not self.isVisible():
            return
        image = None if read is None or subject.image_id is None else (subject.image_id, read)
        if image is None:
            self.sentence.setText("Choose an image in the film strip to see what becomes of it.")
        self._lane.want(
            explore_requests.without(
                subject.kept, self.off, image, self._galleries.test, self._galleries.test_labels
            )
        )

    def exports(self) -> Sequence[Export]:
        found = self.last_accuracies
        if found is None:
            return ()
        rows = [
            (name, *(f"{share:.6f}" for share in shares))
            for name, shares in zip(self.subject.classes, found.per_class, strict=True)
        ]
        rows.append(("all classes", f"{found.before:.6f}", f"{found.after:.6f}"))
        off = "; ".join(sorted(map(self.subject.name, found.off))) or "none"
        columns = ("class", "accuracy", f"accuracy without: {off}")
        return (exporting.table("Accuracies (CSV)", "switched off.csv", columns, rows),)

    # ---- inside ---------------------------------------------------------------------------

    def _set_off(self, off: frozenset[Cell]) -> None:
        self.off = off
        names = [self.subject.name(cell) for cell in sorted(off)]
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        self.title.setText(
            f"Switched off: {', '.join(names[:6])}{more}" if names
            else "Click prototypes at the left to switch them off, and again to switch them on"
        )  # fmt: skip
        self.can_act = bool(off)
        self.act_changed.emit()
        self.off_changed.emit()

    def _galleries_changed(self) -> None:
        there, working = self._galleries.test is not None, self._galleries.row is not None
        none_known = self._galleries.train is not None and not there and not working
        self.index.setVisible(not there and not none_known)
        self.index.setEnabled(not working)
        self.go.setVisible(there)
        self.table.setVisible(there)
        if not there:
            self.last_accuracies = None
            self.accuracy.setText(
                "The images are being encoded…" if working
                else "No test image has a class that this flow knows." if none_known
                else "Encode images once to see how the accuracy on the test images changes."
            )  # fmt: skip
        self.ask()

    def _show(self, answer: Without | Accuracies) -> None:
        if answer.off != self.off:
            return
        if isinstance(answer, Without):
            self.last = answer
            components = answer.before.shape[1]
            places = np.argsort(-np.maximum(answer.before, answer.after).ravel(), kind="stable")[:SHOWN]
            for bars, shares in ((self.before, answer.before), (self.after, answer.after)):
                order = sorted(places, key=lambda i: -shares.ravel()[i])
                bars.set_rows(
                    [(self.subject.name(divmod(int(i), components)), float(shares.ravel()[i])) for i in order]
                )
            old, new = int(answer.before.sum(1).argmax()), int(answer.after.sum(1).argmax())
            classes = self.subject.classes
            turn = f"{classes[old]} → {classes[new]}: " if old != new else f"Still {classes[new]}: "
            words = (turn if self.off else f"{classes[new]}: ") + answer.sentence
            self.sentence.setText(words.removesuffix(": "))
            return
        self.last_accuracies = answer
        self.accuracy.setText(answer.sentence)
        changed = len(answer.changed)
        self.go.setEnabled(changed > 0)
        rows = [
            (name, 100 * before, 100 * after, 100 * (after - before))
            for name, (before, after) in zip(self.subject.classes, answer.per_class, strict=True)
        ]
        self.table.set_rows(
            [
                ("Class", "The class of the test images"),
                ("all on, %", "Accuracy with all prototypes"),
                ("without, %", "Accuracy without those switched off"),
                ("change", "In percentage points"),
            ],
            rows,
            0,
        )

    def _go(self) -> None:
        found, test = self.last_accuracies, self._galleries.test
        if found is None or test is None or not len(found.changed):
            return
        ids = test.ids[found.changed].tolist()
        self.session.selection.images = ids
        self.session.selection.current_image = ids[0]
        self.session.notice.emit(f"The film strip shows the {len(ids):,} images whose prediction changes.")
