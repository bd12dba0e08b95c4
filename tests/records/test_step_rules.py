import pytest

from sip_explorer.records import SipError
from sip_explorer.records.step_rules import parse_step, step_text


@pytest.mark.parametrize(
    ("rule", "guard", "text"),
    [
        ("sign", None, "sign"),
        ("raw", None, "raw"),
        ("normalised", None, "normalised"),
        ("normalised", ("add", 1e-10), "normalised:add:1e-10"),
        ("normalised", ("floor", 1e-6), "normalised:floor:1e-06"),
        ("normalised", ("add", 0.1 + 0.2), "normalised:add:0.30000000000000004"),
    ],
)
def test_a_step_rule_is_read_as_it_was_written(rule, guard, text):
    assert step_text(rule, guard) == text
    assert parse_step(text) == (rule, guard)


def test_people_may_write_it_otherwise():
    assert parse_step(" normalised:floor:0.000001 ") == ("normalised", ("floor", 1e-6))


@pytest.mark.parametrize(
    "text",
    ["", "adaptive", "sign:add:1", "raw:floor:1e-6", "normalised:add", "normalised:times:2",
     "normalised:add:x", "normalised:add:-1", "normalised:add:0", "normalised:add:nan", "normalised:add:inf",
     "normalised:add:1:2"],
)  # fmt: skip
def test_what_is_no_step_rule_is_named(text):
    with pytest.raises(SipError, match=f"The step rule “{text}” is unknown: write sign, normalised"):
        parse_step(text)
