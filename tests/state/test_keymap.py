"""The key table: defaults that agree, changes that are kept, and what is refused."""

import json
from pathlib import Path

import pytest

from sip_explorer.records import SipError
from sip_explorer.state import Keymap, Session, Settings
from sip_explorer.state.keymap import ACTIONS, GROUPS, key_text


def test_no_two_actions_share_a_default_key() -> None:
    seen: dict[tuple[bool, str], str] = {}
    for action in ACTIONS:
        assert action.group in GROUPS
        for key in action.keys:
            assert key == key_text(key)
            drawing = action.group == "While a shape is drawn"
            assert seen.setdefault((drawing, key), action.id) == action.id
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("b", "B"),
        (" shift+CTRL+z ", "Ctrl+Shift+Z"),
        ("escape", "Esc"),
        ("+", "+"),
        ("ctrl++", "Ctrl++"),
        ("Ctrl+Shift++", "Ctrl+Shift++"),
        ("f12", "F12"),
        ("é", "É"),
        ("ß", "ß"),
        ("Shift", "Shift"),
        ("pgdown", "PgDown"),
    ],
)
def test_a_key_is_written_in_one_way(written: str, meant: str) -> None:
    assert key_text(written) == meant


@pytest.mark.parametrize(
    "text", ["", " ", "BB", "Ctrl+", "A+B", "Ctrl+Ctrl+B", "\t", "F36", "Ctrl+Shift", "++B"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(SipError, match="is no key"):
        key_text(text)


def test_a_change_is_kept_and_can_be_taken_back(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    keymap = Keymap(settings)
    told: list[bool] = []
    keymap.changed.connect(lambda: told.append(True))
    keymap.set("brush", ["w", "Ctrl+b"])
    assert keymap.keys("brush") == ("W", "Ctrl+B")
    assert keymap.key("brush") == "W"
    assert keymap.action_of("W") == "brush"
    assert keymap.action_of("B") is None
    assert not keymap.is_default("brush")
    assert Keymap(Settings(tmp_path / "settings.json")).keys("brush") == ("W", "Ctrl+B")
    keymap.set("fit", [])
    assert keymap.key("fit") == ""
    assert keymap.action_of("F") is None
    keymap.reset("brush")
    assert keymap.is_default("brush")
    assert not keymap.is_default("fit")
    keymap.reset()
    assert keymap.action_of("F") == "fit"
    assert len(told) == 4
    assert json.loads((tmp_path / "settings.json").read_text())["keys"] == {}


def test_a_key_of_something_else_is_refused_with_both_named() -> None:
    keymap = Keymap()
    with pytest.raises(SipError, match="E cannot be the key of “Brush”, for it is the key of “Eraser”"):
        keymap.set("brush", ["W", "E"])
    assert keymap.keys("brush") == ("B",)
    with pytest.raises(SipError, match="is no key"):
        keymap.set("brush", ["Nonsense"])
    with pytest.raises(KeyError):
        keymap.set("dance", ["W"])
    keymap.set("eraser", ["W"])
    keymap.set("brush", ["E"])
    with pytest.raises(SipError, match="“Brush”"):
        keymap.reset("eraser")
    assert keymap.action_of("W") == "eraser"


def test_a_shape_under_way_has_its_keys_first() -> None:
    keymap = Keymap()
    assert keymap.action_of("Return") == "accept"
    assert keymap.action_of("Return", drawing=True) == "close"
    assert keymap.action_of("B", drawing=True) == "brush"
    keymap.set("close", ["B"])  # no conflict: only while a shape is drawn
    assert keymap.action_of("B", drawing=True) == "close"
    assert keymap.action_of("B") == "brush"


def test_a_damaged_setting_costs_that_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    kept = {
        "brush": ["W"],
        "eraser": 7,
        "fit": ["no such key"],
        "polygon": [1, 2],
        "lasso": ["K"],  # the key of the fill, which nobody changed
        "box": ["J"],
        "superpixel": ["J"],
        "dance": ["Q"],
    }
    path.write_text(json.dumps({"keys": kept, "room": "training"}))
    settings = Settings(path)
    keymap = Keymap(settings)
    assert settings["room"] == "training"
    assert keymap.keys("brush") == ("W",)
    assert keymap.keys("box") == ("J",)
    for name in ("eraser", "fit", "polygon", "lasso", "fill", "superpixel"):
        assert keymap.is_default(name)
    path.write_text(json.dumps({"keys": "rubbish"}))
    assert Keymap(Settings(path)).is_default("brush")


def test_two_keys_may_have_changed_places(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"keys": {"brush": ["E"], "eraser": ["B"]}}))
    keymap = Keymap(Settings(path))
    assert keymap.action_of("E") == "brush"
    assert keymap.action_of("B") == "eraser"


def test_the_session_has_the_keys(tmp_path: Path) -> None:
    session = Session(Settings(tmp_path / "settings.json"))
    session.keymap.set("brush", ["W"])
    assert session.settings["keys"] == {"brush": ["W"]}
    session.close()
