"""People, review, notes, guideline and practice beside the canvas, by clicks and keys."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from sip_explorer.qt.film_strip import FilmStrip
from sip_explorer.qt.rooms.salience.guideline_section import GuidelineSection
from sip_explorer.qt.rooms.salience.note_box import NoteBox
from sip_explorer.qt.rooms.salience.people_section import PeopleSection
from sip_explorer.qt.rooms.salience.practice_section import PracticeSection
from sip_explorer.qt.rooms.salience.review_buttons import ReviewButtons
from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.salience import Patch
from sip_explorer.state import Session, Settings
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton
SIDE = 28


def square(rows):
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:rows] = 255
    return mask


def paint(workspace, image, who, rows):
    patch = Patch.between(workspace.mask(image, who), square(rows))
    return workspace.commit_stroke(image, who, patch, "brush")


class Desk(QWidget):
    """All that people and review show beside a canvas, with a film strip below."""

    def __init__(self, session):
        super().__init__()
        self.session = session
        self.outlines = [[]]  # what the canvas was told to show, in turn
        self.strip = FilmStrip(session)
        self.buttons = ReviewButtons(session)
        self.note = NoteBox(session)
        self.people = PeopleSection(session, lambda others: self.outlines.append(list(others)))
        self.guideline = GuidelineSection(session)
        self.practice = PracticeSection(session)
        self.inspector = Inspector()
        section = self.inspector.add_section("Review")
        section.add_widget(self.buttons)
        section.add_widget(self.note)
        for part, title in ((self.people, "People"), (self.guideline, "Guideline"), (self.practice, "P")):
            part.fill(self.inspector.add_section(title))
        layout = QVBoxLayout(self)
        layout.addWidget(self.inspector, 1)
        layout.addWidget(self.strip)
        drain = QTimer(self, interval=5)
        drain.timeout.connect(session.mailbox.drain)
        drain.start()

    def mark(self, image):
        return self.strip.strip._model.states.get(image)


@pytest.fixture
def path(shapes_path):
    """Ana painted images 0 to 3, Ben 0 to 2: they differ most on image 2."""
    with Workspace.open(shapes_path) as workspace:
        for name in ("Ana", "Ben"):
            workspace.add_annotator(name)
        for image, rows in ((0, 10), (1, 8), (2, 2)):
            paint(workspace, image, "Ana", 10)
            paint(workspace, image, "Ben", rows)
        paint(workspace, 3, "Ana", 10)
    return shapes_path


@pytest.fixture
def desk(qtbot, qapp, path, tmp_path):
    theme.install(qapp, "light")
    session = Session(Settings(tmp_path / "settings.json"))
    session.settings["annotator"] = "Ana"
    session.told = []
    session.problem.connect(lambda sentence, _: session.told.append(sentence))
    session.notice.connect(session.told.append)
    made = Desk(session)
    qtbot.addWidget(made)
    made.resize(900, 1600)
    made.show()
    qtbot.waitExposed(made)
    session.open_workspace(path)
    yield made
    session.close(discard=True)
    made.close()


def click(button):
    assert button.isVisible()
    assert button.isEnabled()
    # Only the box and the words of a check box take a click.
    spot = QPoint(8, button.height() // 2) if isinstance(button, QCheckBox) else button.rect().center()
    QTest.mouseClick(button, LEFT, pos=spot)


# ---- checking ---------------------------------------------------------------------------------


def test_checked_and_disputed_mark_the_mask_until_it_is_painted_on(desk, qtbot):
    session = desk.session
    session.selection.current_image = 1
    click(desk.buttons.checked)
    assert session.workspace.checks([1], "Ana") == ["checked"]
    assert desk.mark(1) == "checked"
    click(desk.buttons.disputed)
    assert (desk.buttons.checked.isChecked(), desk.buttons.disputed.isChecked()) == (False, True)
    assert desk.mark(1) == "disputed"
    click(desk.buttons.disputed)
    assert session.workspace.checks([1], "Ana") == [""]
    click(desk.buttons.checked)
    session.painting.apply(1, Patch.between(square(10), square(11)), "brush")
    qtbot.waitUntil(lambda: session.painting.pending == 0)
    assert not desk.buttons.checked.isChecked()
    assert desk.mark(1) == "painted"
    session.selection.current_image = 5
    click(desk.buttons.checked)
    assert "Ana has not painted" in session.told[-1]
    assert not desk.buttons.checked.isChecked()


def test_next_goes_through_the_queue_that_is_chosen(desk, qtbot):
    selection, buttons = desk.session.selection, desk.buttons
    assert selection.current_image == 0
    click(buttons.next)
    assert selection.current_image == 4
    buttons.queue.setCurrentIndex(buttons.queue.findData("unchecked"))
    assert buttons.next.text() == "Next (U)"
    click(buttons.next)
    assert selection.current_image == 0
    buttons.queue.setCurrentIndex(buttons.queue.findData("disputed"))
    click(buttons.next)  # measures first, on the disk
    qtbot.waitUntil(lambda: selection.current_image == 2, timeout=20_000)
    click(buttons.next)
    assert selection.current_image == 1
    click(buttons.next)
    assert selection.current_image == 2
    desk.session.keymap.set("next_disputed", ["J"])
    assert buttons.next.text() == "Next (J)"


def test_the_film_strip_lists_by_what_people_said(desk):
    session, strip = desk.session, desk.strip
    session.selection.current_image = 1
    click(desk.buttons.checked)
    session.selection.current_image = 2
    click(desk.buttons.disputed)
    for state, images in (("checked", (1,)), ("disputed", (2,)), ("unchecked", (0, 2, 3)), ("proposed", ())):
        strip.state.setCurrentIndex(strip.state.findData(state))
        strip.list_images()
        # Disputed masks are checked too: somebody looked at them.
        assert session.selection.images == tuple(i for i in images if state != "unchecked" or i != 2)
    assert "◆ disputed" in strip.state.toolTip()


# ---- people -----------------------------------------------------------------------------------


def test_people_are_chosen_added_renamed_and_coloured(desk, qtbot):
    session, form = desk.session, desk.people.person
    click(form.add)
    qtbot.waitUntil(form.name.isVisible)
    QTest.keyClicks(form.name, "Chiara")
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    assert session.selection.annotator == "Chiara"
    assert form.people.currentText() == "Chiara"
    assert not form.name.isVisible()
    click(form.rename)
    QTest.keyClick(form.name, Qt.Key.Key_Escape)
    assert not form.name.isVisible()
    click(form.rename)
    QTest.keyClicks(form.name, "Ana")  # takes the place of what is selected
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    assert "Ana" in session.told[-1]
    assert session.selection.annotator == "Chiara"
    form.name.setText("Clara")
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    assert session.selection.annotator == session.settings["annotator"] == "Clara"
    form._menu.actions()[2].trigger()
    assert session.workspace.annotator("Clara").colour == "#009E73"
    assert desk.strip.strip._delegate.colour.name().upper() == "#009E73"
    form.people.setFocus()
    QTest.keyClick(form.people, Qt.Key.Key_Home)
    form.people.activated.emit(form.people.currentIndex())
    assert session.selection.annotator == "Ana"
    assert [person.name for person in session.workspace.annotators()] == ["Ana", "Ben", "Clara"]


def test_outlines_of_others_follow_the_image(desk, qtbot):
    selection = desk.session.selection
    selection.current_image = 1
    click(desk.people.boxes["Ben"])
    ben = desk.session.workspace.annotator("Ben")

    def shown(rows):
        last = desk.outlines[-1]
        return len(last) == 1 and np.array_equal(last[0][0], square(rows)) and last[0][1] == ben.colour

    qtbot.waitUntil(lambda: shown(8))
    selection.current_image = 2
    assert desk.outlines[-1] == [], "never the outline of another image"
    qtbot.waitUntil(lambda: shown(2))
    selection.current_image = 1
    qtbot.waitUntil(lambda: shown(8))
    desk.people.toggle_others()
    assert desk.outlines[-1] == []
    desk.people.toggle_others()
    qtbot.waitUntil(lambda: shown(8))


def test_blind_mode_hides_the_others_and_says_so(desk, qtbot):
    session = desk.session
    session.selection.current_image = 2
    click(desk.buttons.disputed)
    click(desk.people.boxes["Ben"])
    qtbot.waitUntil(lambda: len(desk.outlines[-1]) == 1)
    click(desk.people.blind)
    assert session.workspace.setting("blind") == "1"
    assert desk.outlines[-1] == []
    assert not desk.people.boxes
    assert "hidden" in desk.people._blind_words.text()
    assert desk.mark(2) == "painted"
    assert not desk.buttons.disputed.isVisible()
    place = desk.buttons.queue.findData("disputed")
    assert not desk.buttons.queue.model().item(place).isEnabled()
    click(desk.people.blind)
    assert desk.mark(2) == "disputed"
    qtbot.waitUntil(lambda: len(desk.outlines[-1]) == 1)


def test_the_overlap_set_is_drawn_and_listed(desk):
    form, selection = desk.people.overlap, desk.session.selection
    assert not form.list.isEnabled()
    form.count.setValue(6)
    click(form.make)
    assert "6 images" in desk.session.told[-1]
    assert selection.images == tuple(range(12)), "what is listed stays listed"
    click(form.list)
    assert len(selection.images) == 6
    assert desk.strip.collection.currentText() == "overlap"
    done = sum(image in (0, 1, 2, 3) for image in selection.images)
    assert form._words.text() == f"Overlap set: {done} of 6 images done"
    assert desk.people._pace_words.text().startswith(f"{done} of 6 images done")


# ---- notes and the guideline ------------------------------------------------------------------


def test_a_note_is_saved_after_a_pause_and_when_it_is_left(desk, qtbot):
    workspace, selection = desk.session.workspace, desk.session.selection
    selection.current_image = 1
    QTest.keyClicks(desk.note, "blurred")
    selection.current_image = 2
    assert workspace.note(1, "Ana") == "blurred"
    assert desk.note.toPlainText() == ""
    QTest.keyClicks(desk.note, "two dogs")
    qtbot.waitUntil(lambda: workspace.note(2, "Ana") == "two dogs")
    desk.session.choose_annotator("Ben")
    assert desk.note.toPlainText() == ""
    QTest.keyClicks(desk.note, "of Ben")
    selection.current_image = 1
    desk.session.choose_annotator("Ana")
    assert desk.note.toPlainText() == "blurred"
    assert workspace.note(2, "Ben") == "of Ben"
    QTest.keyClicks(desk.note, "very ")
    path = workspace.path
    desk.session.close_workspace()  # as the window does when it closes
    with Workspace.open(path, read_only=True) as other:
        assert other.note(1, "Ana") == "very blurred"


def test_the_guideline_and_its_examples(desk, qtbot):
    session, section = desk.session, desk.guideline
    workspace = session.workspace
    QTest.keyClicks(section.text, "The whole object.")
    section.text.clearFocus()
    section.text.save()
    assert workspace.setting("guideline") == "The whole object."
    session.selection.current_image = 5
    assert not section.accept.isEnabled(), "there is no mask to show"
    session.selection.current_image = 1
    QTest.keyClicks(section.caption, "all of it")
    click(section.accept)
    click(section.refuse)
    examples = workspace.examples()
    assert [(e.image, e.verdict, e.caption) for e in examples] == [
        (1, "accepted", "all of it"),
        (1, "refused", ""),
    ]
    assert section.caption.text() == ""
    first, second = (section.tiles[e.id] for e in examples)
    qtbot.waitUntil(lambda: not first.panel.image_rect().isEmpty())
    assert first.caption.text() == "all of it"
    click(second.remove)
    assert [e.verdict for e in workspace.examples()] == ["accepted"]
    assert list(section.tiles) == [examples[0].id]


def test_a_read_only_workspace_shows_everything_and_takes_nothing(desk, path, tmp_path, qtbot):
    desk.session.workspace.set_setting("guideline", "As it is.").result()
    desk.session.workspace.set_note(0, "Ana", "mine").result()
    session = Session(Settings(tmp_path / "other.json"))
    session.settings["annotator"] = "Ana"
    other = Desk(session)
    qtbot.addWidget(other)
    other.show()
    session.open_workspace(path)
    assert session.workspace.read_only
    assert other.guideline.text.toPlainText() == "As it is."
    assert other.note.toPlainText() == "mine"
    assert other.guideline.text.isReadOnly()
    assert other.note.isReadOnly()
    form = other.people.person
    for control in (
        other.buttons.checked,
        other.guideline.accept,
        other.practice.make,
        other.people.blind,
        other.people.overlap.make,
        form.add,
        form.rename,
    ):
        assert not control.isEnabled()
    session.close()
    other.close()


# ---- practice ---------------------------------------------------------------------------------


def test_practice_from_ones_own_masks(desk, qtbot):
    session, section = desk.session, desk.practice
    assert not section.compare.isEnabled()
    section.source.setCurrentIndex(section.source.findData("mine"))
    click(section.make)
    qtbot.waitUntil(section.list.isEnabled, timeout=20_000)
    click(section.list)
    assert set(session.selection.images) == {0, 1, 2, 3}
    session.choose_annotator("Ben")
    session.selection.current_image = 1
    click(section.compare)
    qtbot.waitUntil(lambda: "0.80" in section.result.text())
    qtbot.waitUntil(lambda: "3 practice images" in section.average.text())
    assert "Mean IoU 0.67" in section.average.text()  # of 1, 0.8 and 0.2
    (answer,) = desk.outlines[-1]
    assert np.array_equal(answer[0], square(10))
    click(section.compare)
    assert desk.outlines[-1] == []
    click(section.compare)
    session.selection.current_image = 2
    assert desk.outlines[-1] == [], "the answer to another image"
    assert not section.compare.isChecked()


def test_where_there_are_no_answers_a_sentence_says_so(desk, qtbot):
    section = desk.practice
    section.source.setCurrentIndex(section.source.findData("segmentations"))
    click(section.make)
    qtbot.waitUntil(lambda: bool(desk.session.told), timeout=20_000)
    assert "segmentations" in desk.session.told[-1]
    assert not section.list.isEnabled()
