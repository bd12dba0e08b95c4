"""The practice set: paint images whose answer is known, and see how near one comes."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSpinBox

from sip_explorer.qt.widgets.section import Section
from sip_explorer.qt.widgets.toggle_button import ToggleButton
from sip_explorer.records import Artefact, CancelToken, Event, Failed
from sip_explorer.state import Session
from sip_explorer.state.practice import PRACTICE, SOURCES, Score, find_answers, score, take_answer

_ONE, _ALL = "compared with the answer", "practice score"


class PracticeSection:
    """Fills a section of the inspector; the answer's outline is shown by `PeopleSection`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reviewing = session.reviewing
        self.source = QComboBox()
        for key, words in SOURCES.items():
            self.source.addItem(words, key)
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.setMinimumContentsLength(12)
        self.count = QSpinBox()
        self.count.setRange(1, 10_000)
        self.count.setValue(20)
        self.make = QPushButton("Make a practice set")
        self.make.setToolTip("Draw them from the images listed below, each class its share")
        self.list = QPushButton("List it")
        self.list.setToolTip("List the images of the practice set in the film strip")
        self.compare = ToggleButton("Compare with the answer")
        self.compare.setToolTip("Show the outline of the known answer over mine, and how near they are")
        self.result = _quiet()
        self.average = _quiet()
        self.compare.clicked.connect(self._compare)
        self.make.clicked.connect(self._make)
        self.list.clicked.connect(lambda: self._reviewing.listing_wanted.emit(PRACTICE))
        selection = session.selection
        for signal in (
            selection.current_image_changed,
            selection.annotator_changed,
            session.workspace_changed,
            self._reviewing.collections_changed,
        ):
            signal.connect(self._show)
        session.masks_changed.connect(self._mask_changed)
        self._show()

    def fill(self, section: Section) -> None:
        """Put the controls into a section."""
        section.add_widget(self.compare)
        section.add_widget(self.result)
        section.add_widget(self.average)
        section.add_row("Answers", self.source, tip="Where the known answers come from")
        section.add_row("Images", self.count, tip="At most so many, drawn from the images listed below")
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addWidget(self.make)
        acts.addWidget(self.list)
        acts.addStretch(1)
        section.add_layout(acts)

    # ---- making ---------------------------------------------------------------------------

    def _make(self) -> None:
        workspace, selection = self._session.workspace, self._session.selection
        if workspace is None:
            return
        images, who = list(selection.images), selection.annotator
        source, count = str(self.source.currentData()), self.count.value()

        def job(token: CancelToken) -> Iterator[Event | None]:
            yield from find_answers(workspace, images, source, who, count, 0, token)

        def follow(event: Event) -> None:
            if workspace is not self._session.workspace:
                return
            if isinstance(event, Failed):
                self._session.problem.emit(event.message, event.detail)
            elif isinstance(event, Artefact) and event.kind == "answer":
                self._session.attempt(lambda: take_answer(self._reviewing, *event.data))
            elif isinstance(event, Artefact):
                self._session.attempt(lambda: self._reviewing.keep_collection(PRACTICE, event.data))

        self._session.jobs.run("practice set", job, follow, on="disk")

    # ---- comparing ------------------------------------------------------------------------

    def _compare(self) -> None:
        if not self.compare.isChecked():
            self._reviewing.show_answer(None)
            self._show()
            return
        workspace, image = self._session.workspace, self._session.selection.current_image
        known = workspace.annotators("answers") if workspace is not None else []
        if workspace is not None and image is not None and known:
            self._reviewing.show_answer(image, workspace.mask(image, known[0].id))
        self._score()

    def _score(self, *, whole: bool = True) -> None:
        """Compare the image on show, and the ``whole`` practice set, in the disk thread."""
        workspace, selection = self._session.workspace, self._session.selection
        image, who = selection.current_image, selection.annotator
        if workspace is None or image is None:
            return
        practice = self._reviewing.collection(PRACTICE).tolist()

        def follow(event: Event, of_all: bool) -> None:
            shown = (workspace, image, who)
            now = (self._session.workspace, selection.current_image, selection.annotator)
            if isinstance(event, Artefact) and shown == now:
                self._tell(event.data, of_all)

        asked = [(_ONE, [image], False), (_ALL, practice, True)]
        for lane, images, of_all in asked if whole else asked[:1]:
            self._session.jobs.ask(
                lane,
                lambda token, images=images: score(workspace, images, who, token),
                lambda event, of_all=of_all: follow(event, of_all),
                on="disk",
            )

    def _tell(self, found: Score | None, of_all: bool) -> None:
        if of_all:
            self.average.setText(
                f"Mean IoU {found.iou:.2f}, Dice {found.dice:.2f} on {found.images:,} practice "
                f"{'image' if found.images == 1 else 'images'}"
                if found
                else "No practice image is painted yet."
            )
        else:
            self.result.setText(
                f"IoU {found.iou:.2f}, Dice {found.dice:.2f} on this image"
                if found
                else "Paint this image first, then compare."
            )

    # ---- following ------------------------------------------------------------------------

    def _mask_changed(self, image: int) -> None:
        if self.compare.isChecked() and image == self._session.selection.current_image:
            self._score(whole=False)  # at every stroke

    def _show(self, *_: object) -> None:
        workspace, image = self._session.workspace, self._session.selection.current_image
        known = workspace.annotators("answers") if workspace is not None else []
        answered = (
            workspace is not None
            and image is not None
            and bool(known)
            and workspace.states([image], known[0].id)[0] != "unpainted"
        )
        practice = self._reviewing.collection(PRACTICE)
        self.compare.setChecked(False)
        self.compare.setEnabled(answered)
        self.list.setEnabled(len(practice) > 0)
        self.make.setEnabled(workspace is not None and not workspace.read_only)
        self.average.setText("")
        if answered:
            self.result.setText("The answer to this image is known: paint first, then compare.")
        elif len(practice):
            self.result.setText(f"The practice set has {len(practice):,} images; this is none of them.")
        else:
            self.result.setText(
                "No practice set yet: images whose answer is known, to learn the guideline on."
            )


def _quiet() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "muted")
    return label
