import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_explorer.records import SipError
from sip_explorer.salience import Patch, UndoHistory, paint_segment

SHAPE = (24, 30)
strokes = st.tuples(
    *[st.floats(-5, 35, allow_nan=False)] * 4, st.sampled_from([0.5, 2.0, 6.5]), st.sampled_from([0, 90, 255])
)


def stroke_patch(mask, stroke):
    before = mask.copy()
    box = paint_segment(mask, *stroke)
    return None if box is None else Patch.between(before, mask, box)


@settings(max_examples=80, deadline=None)
@given(st.lists(strokes, max_size=15), st.sampled_from([0, 1 << 20]))
def test_any_sequence_undone_gives_the_start_and_redone_the_end(sequence, memory):
    start = np.random.default_rng(2).integers(0, 256, SHAPE, np.uint8)
    mask = start.copy()
    history = UndoHistory(memory=memory)  # 0: every patch is kept compressed
    for stroke in sequence:
        if patch := stroke_patch(mask, stroke):
            history.push(patch)
    end = mask.copy()
    while patch := history.undo():
        patch.revert(mask)
    assert (mask == start).all()
    assert not history.can_undo
    while patch := history.redo():
        patch.apply(mask)
    assert (mask == end).all()
    assert not history.can_redo


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(strokes, st.sampled_from(["undo", "redo"])), max_size=30))
def test_history_walks_as_a_list_of_masks_would(steps):
    mask = np.zeros(SHAPE, np.uint8)
    states, at, history = [mask.copy()], 0, UndoHistory(limit=50)
    for step in steps:
        if step == "undo":
            if patch := history.undo():
                patch.revert(mask)
            at = max(0, at - 1)
        elif step == "redo":
            if patch := history.redo():
                patch.apply(mask)
            at = min(len(states) - 1, at + 1)
        elif patch := stroke_patch(mask, step):
            history.push(patch)
            states[at + 1 :] = [mask.copy()]
            at += 1
        assert (mask == states[at]).all()
        assert history.can_undo == (at > 0)
        assert history.can_redo == (at < len(states) - 1)


def test_history_keeps_the_last_steps():
    mask = np.zeros(SHAPE, np.uint8)
    history = UndoHistory(limit=3)
    for value in range(1, 6):
        history.push(stroke_patch(mask, (3, 3, 20, 20, 2.0, value)))
    assert len(history) == 3
    while patch := history.undo():
        patch.revert(mask)
    assert mask.max() == 2


@settings(max_examples=60, deadline=None)
@given(strokes)
def test_bytes_round_trip(stroke):
    mask = np.random.default_rng(3).integers(0, 256, SHAPE, np.uint8)
    patch = stroke_patch(mask, stroke)
    if patch is None:
        return
    again = Patch.from_bytes(patch.to_bytes())
    assert again.box == patch.box
    assert all(type(number) is int for number in again.box)
    assert (again.old == patch.old).all()
    assert (again.new == patch.new).all()


def test_damaged_bytes_get_a_sentence():
    mask = np.zeros(SHAPE, np.uint8)
    whole = stroke_patch(mask, (3, 3, 20, 20, 4.0, 255)).to_bytes()
    for damaged in (b"", whole[:10], whole[:-4], b"XXXX" + whole[4:], whole[:16] + b"\x01" + whole[17:]):
        with pytest.raises(SipError, match="damaged"):
            Patch.from_bytes(damaged)


def test_a_patch_between_masks_is_the_smallest():
    before = np.zeros(SHAPE, np.uint8)
    after = before.copy()
    assert Patch.between(before, after) is None
    after[4, 7] = after[9, 3] = 1
    patch = Patch.between(before, after)
    assert patch.box == (4, 3, 10, 8)
    patch.inverted().apply(after)
    assert (after == before).all()


def test_a_patch_of_another_mask_is_refused():
    patch = Patch((10, 10, 20, 20), np.zeros((10, 10), np.uint8), np.ones((10, 10), np.uint8))
    with pytest.raises(SipError, match="does not fit"):
        patch.apply(np.zeros((12, 12), np.uint8))
    with pytest.raises(ValueError, match="does not fit box"):
        Patch((0, 0, 3, 3), np.zeros((2, 2), np.uint8), np.zeros((3, 3), np.uint8))
