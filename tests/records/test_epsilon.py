import math

import pytest

from sip_explorer.records.epsilon import format_epsilon, in_255ths, parse_epsilon, parse_epsilons


@pytest.mark.parametrize(
    ("text", "value"),
    [("8/255", 8 / 255), (" 0.5 / 255 ", 0.5 / 255), ("0.1", 0.1), ("0,1", 0.1), ("0", 0.0), ("1", 1.0)],
)
def test_epsilon_is_read_in_either_form(text, value):
    assert parse_epsilon(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "eight", "-1/255", "-0.1", "nan", "inf", "256/255", "1.01", "8/256"])
def test_what_is_no_epsilon_is_refused_with_its_name_and_an_example(text):
    with pytest.raises(ValueError, match="write 8/255") as caught:
        parse_epsilon(text)
    assert text in str(caught.value)


def test_a_list_comes_sorted_and_without_repeats():
    assert parse_epsilons("8/255, 0; 2 / 255 8/255") == pytest.approx((0, 2 / 255, 8 / 255))


def test_an_empty_list_is_refused():
    with pytest.raises(ValueError, match="No epsilon"):
        parse_epsilons(" , ")


@pytest.mark.parametrize(
    ("value", "words"), [(8 / 255, "8/255 = 0.03137"), (0.1, "25.5/255 = 0.1"), (0.0, "0/255 = 0")]
)
def test_epsilon_is_shown_as_both(value, words):
    assert format_epsilon(value) == words
    assert words.startswith(in_255ths(value))


def test_in_l2_epsilon_may_be_larger_than_one():
    assert parse_epsilons("0.5, 3", largest=math.inf) == (0.5, 3.0)
    with pytest.raises(ValueError, match="below 0"):
        parse_epsilon("-1", largest=math.inf)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        parse_epsilons("0.5, 3")
