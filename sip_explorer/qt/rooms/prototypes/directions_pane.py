"""Explore, directions: along which ways through a prototype the picture changes most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from PySide6.QtWidgets import QSpinBox

from sip_explorer.qt.rooms.prototypes import explore_requests, exporting
from sip_explorer.qt.rooms.prototypes.explore_requests import Traversal
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, heading, muted
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.sliding_number import SlidingNumber
from sip_explorer.records import CancelToken, Event, Failed, Finished

COLUMNS = 5


class DirectionsPane(PrototypeView):
    """One row per direction, from one side of the prototype to the other."""

    word: ClassVar[str] = "Directions"
    tip: ClassVar[str] = "Along which ways through the prototype the picture changes most"

    def __init__(self, subject: Subject, inspector: Inspector) -> None:
        super().__init__(subject)
        self.last: Traversal | None = None
        self._searching = False
        section = inspector.add_section("Directions")
        self.sections = (section,)
        self.count = QSpinBox()
        self.count.setRange(1, 8)
        self.count.setValue(4)
        row = section.add_row("How many", self.count, tip="Those that move the picture most come first")
        row.track(self.count.valueChanged, self.count.value, lambda: self.count.setValue(4), 4)
        self.reach = SlidingNumber("Reach of the directions", 0.5, 6, 3, step=0.1)
        row = section.add_row(
            "Reach", self.reach, unit="σ", tip="How far the ends of a row are from the mean, in deviations"
        )
        row.track(self.reach.valueChanged, self.reach.value, lambda: self.reach.setValue(3), 3.0)
        self.title = heading()
        self._words = muted(wrapped=True)
        self.grid = CaptionedGrid()
        self.grid.setAccessibleName("Images along the principal directions, one row per direction")
        self.grid.set_tip(self._tip)
        self._empty = EmptyState(
            "This flow is large: the search for the directions takes a while and works in the background.",
            "Find the directions",
            self.search,
        )
        self.column.addWidget(self.title)
        self.column.addWidget(self._words)
        self.column.addWidget(self.grid, 1)
        self.column.addWidget(self._empty, 1)
        self._empty.hide()
        self._lane = self.lane("directions", self._show)
        self.count.valueChanged.connect(self.ask)
        self.reach.valueChanged.connect(self.ask)
        subject.prototype_changed.connect(self._other)

    def shown(self) -> None:
        self.ask()

    def means_known(self) -> None:
        self.ask()

    def forget(self) -> None:
        self._lane.drop()
        self.last = None
        self.grid.set_images(None)
        self.title.setText("")
        self._words.setText("")

    def ask(self, *_: object) -> None:
        """Ask for the rows; a large flow is asked once its directions were searched for."""
        subject = self.subject
        if subject.kept is None or subject.means is None or not self.isVisible():
            return
        if not subject.means.whole:  # the search may take a second: first the map
            return
        key = explore_requests.directions_key(subject.cell, self.count.value())
        known = not subject.means.large or key in subject.kept.computed
        self._empty.setVisible(not known)
        self.grid.setVisible(known)
        self.title.setText(f"Directions through {subject.name()}")
        if known:
            if self.last is None:
                self._words.setText("Looking for the directions…")
            self._lane.want(
                explore_requests.traversal(
                    subject.kept, subject.cell, self.count.value(), self.reach.value(), COLUMNS
                )
            )

    def search(self) -> None:
        """Search for the directions of a large flow as a job."""
        subject, count = self.subject, self.count.value()
        kept, cell = subject.kept, subject.cell
        if kept is None or self._searching:
            return

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield None
            explore_requests.directions(kept, cell, count)
            yield None

        def follow(event: Event) -> None:
            if isinstance(event, Failed):
                self.session.problem.emit(event.message, event.detail)
            if isinstance(event, Finished | Failed):
                self._searching = False
                self.ask()

        self._searching = True
        self._words.setText("The search works in the background.")
        self.session.jobs.run(f"directions through {subject.name()}", job, follow)

    def exports(self) -> Sequence[Export]:
        if self.last is None or not self.last.whole:
            return ()
        name = f"directions of {self.subject.name()}"
        rows = [(n + 1, f"{s:.4f}") for n, s in enumerate(self.last.strengths)]
        return (
            exporting.sheet("The directions (PNG)", f"{name}.png", self.last.images),
            *(
                exporting.animation(
                    f"Direction {n + 1} (GIF)", f"direction {n + 1} of {self.subject.name()}.gif", images
                )
                for n, images in enumerate(self.last.images)
            ),
            exporting.table(
                "Their strengths (CSV)", f"{name}.csv", ("direction", "levels per deviation"), rows
            ),
        )

    def _other(self) -> None:
        self._lane.drop()
        self.last = None
        self.grid.set_images(None)
        self.ask()

    def _show(self, answer: Traversal) -> None:
        if answer.cell != self.subject.cell:
            return
        before, self.last = self.last, answer
        if before is not None and not answer.whole and before.images.shape == answer.images.shape:
            whole = before.images.copy()  # older rows stay until theirs come
            whole[: answer.known] = answer.images[: answer.known]
            self.grid.set_images(whole)
            self.last = Traversal(answer.cell, whole, answer.known, answer.strengths, answer.spread)
        else:
            self.grid.set_images(answer.images, answer.known * answer.images.shape[1])
        self.grid.set_labels(
            [f"{n + 1}" for n in range(len(answer.images))],
            [f"{s:+.1f} σ".replace("-", "−") if s else "mean" for s in answer.spread],
        )
        strengths = ", ".join(f"{s:,.0f}" for s in answer.strengths)
        self._words.setText(
            f"Each row goes through the mean; one deviation (σ) moves the picture by {strengths} levels "
            "(root of the sum of squares over its pixels)."
        )

    def _tip(self, row: int, column: int) -> str:
        if self.last is None:
            return ""
        return (
            f"Direction {row + 1} at {self.last.spread[column]:+.1f} σ: "
            f"{self.last.strengths[row]:,.0f} levels per σ"
        ).replace("-", "−")
