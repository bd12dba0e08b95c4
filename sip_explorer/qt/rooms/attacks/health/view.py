"""Health: whether figures of attacks on the current model can be believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.qt.room import separator
from sip_explorer.qt.rooms.attacks.bench_view import NO_MODEL, BenchView
from sip_explorer.qt.rooms.attacks.epsilon_choice import EpsilonChoice
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.health.finding_row import FindingRow
from sip_explorer.qt.rooms.attacks.pictures import findings_picture
from sip_explorer.qt.rooms.attacks.subject import subject
from sip_explorer.qt.rooms.attacks.words import NORMS, whole_radius
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.records import Artefact, CancelToken, Event, Finished, SipError
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.attacks.health import HealthReport


@dataclass(frozen=True)
class Checked:
    """A report, and what it is about."""

    model_id: str
    words: str
    report: HealthReport


class HealthView(BenchView):
    """Shows the last report of the current model, as long as the workspace is open."""

    word: ClassVar[str] = "Health"
    tip: ClassVar[str] = "Whether figures of attacks on the current model can be believed"
    act: ClassVar[str] = "Check the model"
    act_tip: ClassVar[str] = "Look for what makes attacks on the model on show look weaker than they are"

    def __init__(self, session: Session, form: AttackForm) -> None:
        super().__init__(session, form)
        self.checked: dict[str, Checked] = {}
        """The last report by model id."""
        section = form.add_section("Health check")
        self.sections = (section,)
        self.epsilon = EpsilonChoice(form)
        section.add_row("At ε", self.epsilon, tip="How much the attacks of the check may change")
        advice = QLabel("Of the model on show. Some fifty images are enough.")
        advice.setProperty("role", "caption")
        advice.setWordWrap(True)
        section.add_widget(advice)
        self._title = QLabel()
        self._title.setProperty("role", "muted")
        self._title.setWordWrap(True)
        self.verdict = QLabel()
        self.verdict.setProperty("role", "section")
        self.verdict.setWordWrap(True)
        self.list = QScrollArea()
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setWidgetResizable(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._empty = EmptyState(
            "Check whether figures of attacks on this model can be believed: hidden gradients, "
            "chance in its answers, attacks that get stuck.",
            self.act,
            self.run,
            findings_picture(),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._title)
        layout.addWidget(self.verdict)
        layout.addWidget(self.list, 1)
        layout.addWidget(self._empty, 1)
        session.selection.current_model_changed.connect(self._show)
        self._show()

    @property
    def rows(self) -> list[FindingRow]:
        """The findings on show."""
        column = self.list.widget()
        return column.findChildren(FindingRow) if column is not None else []

    def begin(self) -> None:
        entry = self.session.model(self.session.selection.current_model)
        if entry is None:
            raise SipError(NO_MODEL)
        epsilon, norm, seed = self.epsilon.epsilon, self.form.norm.currentData(), self.form.seed.value()
        target = subject(self.session, [entry], self.form.images.currentData(), self.form.count.value())
        words = f"{entry.name} · {target.words} · {NORMS[norm]} {whole_radius(epsilon, norm)}"
        model_id = entry.id

        def job(token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.attacks.health import health_report

            loaded = yield from target.load()
            for event in health_report(
                next(iter(loaded.models.values())),
                loaded.images,
                loaded.labels,
                norm=norm,
                epsilon=epsilon,
                seed=seed,
                micro_batch=loaded.micro_batch,
                token=token,
            ):
                if isinstance(event, Artefact):
                    yield Artefact("health", data=Checked(model_id, words, event.data))
                else:
                    yield event

        self.launch(f"check {entry.name}", job)

    def take(self, event: Event) -> None:
        if isinstance(event, Artefact) and isinstance(event.data, Checked):
            self.checked[event.data.model_id] = event.data
            self._show()
        elif isinstance(event, Finished) and event.outcome == "cancelled":
            self.session.notice.emit("The check was cancelled; the last report stays.")

    def forget(self) -> None:
        self.checked.clear()
        self._show()
        super().forget()

    def _show(self, *_: object) -> None:
        checked = self.checked.get(self.session.selection.current_model or "")
        for widget in (self._title, self.verdict, self.list):
            widget.setVisible(checked is not None)
        self._empty.setVisible(checked is None)
        if checked is None:
            return
        self._title.setText(checked.words)
        findings = checked.report.findings
        open_ = [finding.name for finding in findings if not finding.passed]
        if open_:
            self.verdict.setText(f"{len(open_)} of {len(findings)} checks want a look: {', '.join(open_)}")
        else:
            self.verdict.setText(f"All {len(findings)} checks passed: attacks on it can be believed")
        column = QWidget()
        rows = QVBoxLayout(column)
        rows.setContentsMargins(0, 4, 12, 4)
        rows.setSpacing(12)
        for number, finding in enumerate(findings):
            if number:
                rows.addWidget(separator(Qt.Orientation.Horizontal))
            rows.addWidget(FindingRow(finding))
        rows.addStretch(1)
        self.list.setWidget(column)
