"""Proposals in the real window: every method, batches, what is open, and what is recorded of decisions."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sip_explorer.qt.rooms.salience.proposal_methods import METHODS, told
from sip_explorer.qt.rooms.salience.proposal_request import Proposal
from sip_explorer.workspace import Workspace
from sip_explorer.workspace.proposals import NewProposal, ProposalEntry

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(open_window, shapes_path):
    return open_window(shapes_path)


@pytest.fixture
def room(window):
    return window.rooms["salience"]


@pytest.fixture
def panel(room):
    return room.proposals


def ramp():
    """Values that grow from left to right: a threshold of t per cent leaves out t per cent of the columns."""
    return np.tile(np.linspace(0, 255, 28).round().astype(np.uint8), (28, 1))


def kept(room, images, values=None, **of):
    """Keep a proposal for each image, as a job of another day did."""
    about = {"method": "grad-cam", "model": "tiny", "model_hash": "", "detail": "class bar"} | of
    values = ramp() if values is None else values
    return room.session.workspace.add_proposals([NewProposal(image, map=values, **about) for image in images])


def choose(panel, method):
    panel.method.setCurrentIndex(panel.method.findData(method))


def shown(panel, qtbot, act):
    """Do ``act`` and wait until a proposal is on show."""
    act()
    qtbot.waitUntil(lambda: panel.current is not None and not panel.asking, timeout=60_000)
    return panel.current


def decision(room, proposal):
    """What is recorded on the disk."""
    session = room.session
    session.workspace.flush(10)
    with Workspace.open(session.workspace.path, read_only=True) as other:
        return other.decisions(session.selection.images, session.selection.annotator).get(proposal)


def drag(room, start, end):
    a, b = (QPoint(*(round(v) for v in room.canvas.view_position(*place))) for place in (start, end))
    QTest.mousePress(room.canvas, LEFT, pos=a)
    QTest.mouseMove(room.canvas, a + (b - a) * 0.5)
    QTest.mouseRelease(room.canvas, LEFT, pos=b)


def add_untrained(room, tmp_path):
    from sip_explorer.models import build_classifier, save_checkpoint

    model = build_classifier(
        "small-cnn", classes=("square", "bar", "cross"), input_shape=(1, 28, 28), mean=(0,), std=(1,), seed=0
    )
    save_checkpoint(tmp_path / "untrained.safetensors", model)
    room.session.add_model(tmp_path / "untrained.safetensors")


def test_every_method_proposes_and_says_what_it_does(room, panel, qtbot, tmp_path):
    add_untrained(room, tmp_path)
    session = room.session
    image = session.selection.current_image
    fourth = session.selection.images[3]  # of the same class
    session.selection.current_image = fourth
    drag(room, (8, 10), (18, 10))
    session.selection.current_image = image
    for method in METHODS:
        choose(panel, method)
        assert panel._meaning.text() == METHODS[method].meaning
        proposal = shown(panel, qtbot, panel.ask)
        assert proposal.image_id == image
        assert proposal.words.startswith(METHODS[method].short)
        assert room.canvas.proposal().any()
        assert ("predicts" in proposal.words) == (method in ("grad-cam", "integrated-gradients", "occlusion"))
        entries = {entry.id: entry for entry in session.workspace.proposals([image])}
        assert entries[proposal.entry].method == method
        panel.withdraw()
    assert f"mask of image {fourth}" in told(entries[proposal.entry])
    assert not room.canvas.mask().any()
    assert len(session.workspace.open_proposals([image], session.selection.annotator)[image]) == 5


def test_the_threshold_moves_the_hatching_while_it_slides(room, panel, qtbot):
    kept(room, [room.session.selection.current_image])
    shown(panel, qtbot, panel.next_open)
    assert np.array_equal(room.canvas.proposal() > 0, ramp() >= 128)
    assert "covers 50 % of the image" in panel._text.text()
    for percent in (5, 80, 95):
        panel._threshold.setValue(percent)
        assert np.array_equal(panel.region() > 0, ramp() >= percent * 2.55)
        qtbot.waitUntil(lambda: np.array_equal(room.canvas.proposal(), panel.region()))
        assert f"Threshold {percent} %" in panel._threshold_text.text()
    panel._threshold.setValue(0)
    assert panel._threshold.value() == 5


def test_accepted_corrected_undone_and_made_again_are_recorded(room, panel, qtbot):
    (proposal,) = kept(room, [room.session.selection.current_image])
    shown(panel, qtbot, panel.next_open)
    panel._threshold.setValue(70)
    qtbot.mouseClick(panel._accept, LEFT)
    assert decision(room, proposal) == "accepted"
    assert np.array_equal(room.canvas.mask() > 0, ramp() >= 178.5)
    drag(room, (2, 10), (6, 10))
    assert decision(room, proposal) == "corrected"
    room.act("undo")
    assert decision(room, proposal) == "accepted"
    room.act("undo")
    assert decision(room, proposal) == "reopened"
    assert not room.canvas.mask().any()
    room.act("redo")
    assert decision(room, proposal) == "accepted"
    room.act("redo")
    assert decision(room, proposal) == "corrected"
    session = room.session
    assert not session.workspace.open_proposals(session.selection.images, session.selection.annotator)


def test_a_later_visit_corrects_nothing_but_its_undo_reopens(room, panel, qtbot):
    first, second = room.session.selection.images[:2]
    (proposal,) = kept(room, [first])
    shown(panel, qtbot, panel.next_open)
    room.accept_proposal()
    room.session.selection.current_image = second
    room.session.selection.current_image = first
    drag(room, (2, 10), (6, 10))
    assert decision(room, proposal) == "accepted"
    room.act("undo")
    room.act("undo")
    assert decision(room, proposal) == "reopened"
    room.act("undo")  # there is nothing more
    drag(room, (2, 10), (6, 10))  # and now it can no longer be made again
    room.act("undo")
    assert decision(room, proposal) == "reopened"


def test_refused_is_recorded_and_leaving_is_not(room, panel, qtbot):
    first, second = room.session.selection.images[:2]
    (proposal,) = kept(room, [first])
    shown(panel, qtbot, panel.next_open)
    room.session.selection.current_image = second
    assert panel.current is None
    room.session.selection.current_image = first
    shown(panel, qtbot, panel.next_open)
    me = room.session.selection.annotator
    room.session.choose_annotator("Ben")
    assert panel.current is None
    room.session.choose_annotator(me)
    assert decision(room, proposal) is None
    shown(panel, qtbot, panel.next_open)
    QTest.keyClick(room.canvas, Qt.Key.Key_Backspace)
    assert panel.current is None
    assert decision(room, proposal) == "refused"
    assert not room.canvas.mask().any()
    room.session.choose_annotator("Ben")
    assert shown(panel, qtbot, panel.next_open).entry == proposal  # each decides for oneself


def test_what_is_painted_already_is_accepted_without_an_edit(room, panel, qtbot):
    image = room.session.selection.current_image
    one, other = kept(room, [image, image])
    shown(panel, qtbot, panel.next_open)
    room.accept_proposal()
    painted = room.canvas.mask()
    assert shown(panel, qtbot, panel.next_open).entry == one
    room.accept_proposal()
    assert np.array_equal(room.canvas.mask(), painted)
    assert [decision(room, one), decision(room, other)] == ["accepted"] * 2


def test_the_next_open_proposal_is_found_in_turn(room, panel, qtbot):
    ids = room.session.selection.images
    a, b, c, d = kept(room, [ids[2], ids[2], ids[0], ids[7]])
    seen = []
    for _ in range(5):
        proposal = shown(panel, qtbot, panel.next_open)
        seen.append((room.session.selection.current_image, proposal.entry))
        panel.asking = True  # so that the next wait is for the next answer
    assert seen == [(ids[0], c), (ids[2], b), (ids[2], a), (ids[7], d), (ids[0], c)]
    panel.refuse()
    assert shown(panel, qtbot, panel.next_open).entry == b
    for entry in (b, a, d):
        assert panel.current.entry == entry
        panel.refuse()
        if entry != d:
            shown(panel, qtbot, panel.next_open)
    panel.next_open()
    assert panel._text.text() == "No proposal is open on these images."


def test_all_listed_are_proposed_for_as_a_job(room, panel, qtbot):
    session = room.session
    choose(panel, "object-prior")
    assert panel.batch.start_button.text() == "Propose for all 12 listed"
    qtbot.mouseClick(panel.batch.start_button, LEFT)
    assert panel.batch.running
    assert panel.batch.cancel_button.isVisibleTo(panel)
    assert session.jobs.rows[-1].title == "propose for 12 images"
    qtbot.waitUntil(lambda: not panel.batch.running, timeout=60_000)
    assert panel.batch._text.text() == "12 new proposals."
    opened = session.workspace.open_proposals(session.selection.images, session.selection.annotator)
    assert list(opened) == list(session.selection.images)
    qtbot.waitUntil(lambda: panel.current is not None)  # that of the image on show
    assert (
        session.workspace.states(session.selection.images, session.selection.annotator) == ["unpainted"] * 12
    )
    panel.batch.start()
    qtbot.waitUntil(lambda: not panel.batch.running, timeout=60_000)
    assert panel.batch._text.text() == "0 new proposals, 12 already there."


def test_without_a_model_the_way_that_needs_none_is_offered(room, panel, tmp_path):
    assert panel.method.currentData() == "object-prior"
    add_untrained(room, tmp_path)
    assert panel.method.currentData() == "grad-cam"
    choose(panel, "occlusion")
    room.session.refresh_models()
    assert panel.method.currentData() == "occlusion"


def test_a_batch_is_cancelled_and_says_what_it_lacks(room, panel, qtbot):
    session = room.session
    session.selection.current_model = None
    choose(panel, "occlusion")
    panel.batch.start()
    assert not panel.batch.running
    assert panel.batch._text.text().startswith("There is no model to ask")
    panel.ask()
    assert panel._text.text().startswith("There is no model to ask")
    session.selection.images = range(60)
    choose(panel, "propagation")
    panel.batch.start()
    qtbot.waitUntil(lambda: not panel.batch.running, timeout=60_000)
    assert "paint one" in panel.batch._text.text()
    choose(panel, "object-prior")
    panel.batch.start()
    panel.batch.cancel()
    qtbot.waitUntil(lambda: not panel.batch.running, timeout=60_000)
    assert panel.batch._text.text() == "Cancelled; what was proposed before stays."


def test_nobody_is_shown_what_was_made_from_another_persons_mask(room, panel):
    session = room.session
    image = session.selection.current_image
    me = session.workspace.annotator(session.selection.annotator).id
    ben = session.workspace.add_annotator("Ben").id
    of_mine, of_bens = (
        kept(room, [image], method="propagation", detail=f"image 3, annotator {who}, 2 strokes")[0]
        for who in (me, ben)
    )
    assert [entry.id for entry in panel.open.of(image)] == [of_mine]
    session.choose_annotator("Ben")
    assert [entry.id for entry in panel.open.of(image)] == [of_bens]


def test_a_read_only_workspace_shows_proposals_and_records_nothing(room, open_window, qtbot):
    image = room.session.selection.current_image
    (proposal,) = kept(room, [image])
    other = open_window(room.session.workspace.path).rooms["salience"]
    panel = other.proposals
    shown(panel, qtbot, panel.next_open)
    panel.refuse()
    choose(panel, "object-prior")
    assert shown(panel, qtbot, panel.ask).entry is None
    panel.refuse()
    panel.batch.start()
    assert "read only" in panel.batch._text.text()
    assert other.session.told == []
    assert decision(room, proposal) is None


def test_regions_and_words():
    proposal = Proposal(0, np.array([[0, 12, 13], [127, 128, 255]], np.uint8), "")
    assert proposal.region(5).tolist() == [[0, 0, 255], [255, 255, 255]]
    assert proposal.region(50).tolist() == [[0, 0, 0], [0, 255, 255]]
    assert [proposal.share(percent) for percent in (5, 50, 95)] == pytest.approx([4 / 6, 2 / 6, 1 / 6])
    entry = ProposalEntry(1, 2, "occlusion", "net", "abc", "grey square of 6 by 3, class dress", 0.0)
    assert told(entry) == "Occlusion of net for dress"
    assert told(ProposalEntry(1, 2, "from-elsewhere", "", "", "", 0.0)) == "from-elsewhere"
