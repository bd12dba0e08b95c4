"""Which images are held out for testing."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_explorer.data.sources import SourceImage
from sip_explorer.records import SipError
from sip_explorer.workspace.import_splits import checked_share, has_own_split, held_out, split_words

LABELS = st.lists(st.none() | st.integers(0, 4), min_size=1, max_size=200)
SHARES = st.floats(0, 0.99, allow_nan=False)


def listing(labels: list[int | None], tests: list[bool | None] | None = None) -> list[SourceImage]:
    given_ = tests or [None] * len(labels)
    pairs = enumerate(zip(labels, given_, strict=True))
    return [SourceImage(f"{n}", label, test, row=n) for n, (label, test) in pairs]


@settings(max_examples=200, deadline=None)
@given(LABELS, SHARES, st.integers(0, 2**31))
def test_every_class_gives_its_share_and_keeps_an_image(
    labels: list[int | None], share: float, seed: int
) -> None:
    images = listing(labels)
    held = held_out(images, share, seed)
    np.testing.assert_array_equal(held, held_out(images, share, seed))
    given_up = Counter(label for label, test in zip(labels, held, strict=True) if test)
    for label, count in Counter(labels).items():
        taken = given_up[label]
        assert taken < count
        assert abs(taken - share * count) <= 1
        if share > 0 and count > 1:
            assert taken >= 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.none() | st.booleans(), min_size=1, max_size=60), SHARES, st.integers(0, 99))
def test_the_sets_own_split_is_kept(tests: list[bool | None], share: float, seed: int) -> None:
    images = listing([0] * len(tests), tests)
    if any(test is not None for test in tests):
        assert has_own_split(images)
        assert held_out(images, share, seed).tolist() == [test is True for test in tests]
        assert split_words(images, share, seed) == "the set's own split"
    else:
        assert not has_own_split(images)


def test_other_seeds_draw_other_images() -> None:
    images = listing([0] * 100)
    drawn = {tuple(np.flatnonzero(held_out(images, 0.2, seed))) for seed in range(5)}
    assert len(drawn) == 5
    assert {len(one) for one in drawn} == {20}


@pytest.mark.parametrize("share", [-0.2, 1.0, 20, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(SipError, match="0 up to below 1"):
        checked_share(share)
