"""Settings survive a restart; a damaged file or a bad key costs no more than itself."""

import json
from pathlib import Path

import pytest

from sip_explorer.state import Settings
from sip_explorer.state.settings import DEFAULTS


def test_values_survive(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    Settings(path)["theme"] = "dark"
    assert Settings(path)["theme"] == "dark"
    assert Settings(path)["room"] == DEFAULTS["room"]


def test_a_bad_value_costs_that_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"theme": 3, "annotator": "Ana", "unheard_of": 1}))
    settings = Settings(path)
    assert settings["theme"] == DEFAULTS["theme"]
    assert settings["annotator"] == "Ana"


def test_a_damaged_file_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "da')
    settings = Settings(path)
    assert settings["theme"] == DEFAULTS["theme"]
    settings["theme"] = "light"
    assert Settings(path)["theme"] == "light"


def test_unknown_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Settings(tmp_path / "settings.json")["colour"] = "red"


def test_what_is_no_number_gives_the_default(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"overlay_opacity": NaN, "room": "attacks"}')
    assert Settings(path)["overlay_opacity"] == DEFAULTS["overlay_opacity"]
    assert Settings(path)["room"] == "attacks"


def test_a_file_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("in the way")
    settings = Settings(tmp_path / "a file" / "settings.json")
    settings["theme"] = "dark"
    assert settings["theme"] == "dark"
    assert "cannot be written" in settings.problem
