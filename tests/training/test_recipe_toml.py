"""Recipe files: what is written reads back, and a file that is no recipe gives a sentence that names it."""

import codecs
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_explorer.records import SipError
from sip_explorer.training import FieldRule, Recipe
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.recipe_toml import to_toml

VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none(),
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), VALUES))
def test_any_value_reads_back(values: dict[str, Any]) -> None:
    rules = {name: FieldRule("text", "", "px", source="ours") for name in values}
    read = tomllib.loads(to_toml(values, rules))
    told = {name: value for name, value in values.items() if value is not None}
    assert [(name, repr(value)) for name, value in read.items()] == [(n, repr(v)) for n, v in told.items()]


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe.authors(name='a "quoted" näme\n', step_size=1 / 255, flip=True),
        Recipe(start="C:\\models\\one.pt", learning_rate=1e-7),
        ProtoFlowRecipe(name="flow"),
    ],
    ids=["default", "authors", "path", "flow"],
)
def test_a_file_brings_the_same_recipe_back(recipe: Recipe | ProtoFlowRecipe, tmp_path: Path) -> None:
    recipe.save(tmp_path / "recipe.toml")
    assert type(recipe).from_toml(tmp_path / "recipe.toml") == recipe


def test_units_and_sources_stand_beside_the_values() -> None:
    lines = dict(line.split(" = ", 1) for line in Recipe.authors().to_toml().splitlines())
    assert list(lines) == list(Recipe.rules())
    for name, rule in Recipe.rules().items():
        value, _, comment = lines[name].partition("  # ")
        assert comment == "; ".join(part for part in (rule.unit, rule.source) if part)
        assert "#" not in value
    assert lines["batch_size"] == "32  # images; SIP-AT (arXiv 2501.09086): 32"
    assert lines["rotation"] == "0.0  # degrees"
    assert lines["seed"] == "0"


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["plain", "with-mark"])
def test_every_editor_may_write_it(ending: bytes, mark: bytes, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(mark + ending.join([b"# mine", b'name = "n\xc3\xa4me"', b'epsilon = "8/255"', b""]))
    assert Recipe.from_toml(path) == Recipe(name="näme", epsilon=8 / 255)


BAD_FILES = {
    "no TOML": (b"epsilon = = 1", " is not a TOML file: "),
    "a field twice": (b"steps = 1\nsteps = 2", " is not a TOML file: "),
    "UTF-16": ("steps = 1".encode("utf-16"), " is not a TOML file: it is no text in UTF-8; save it as that."),
    "a picture": (b"\x89PNG\r\n\x1a\n", " is not a TOML file: it is no text in UTF-8"),
    "deep": (b"a = " + b"[" * 5000, " is not a TOML file: "),
    "a section": (b"[attack]\nepsilon = 0.1", ": Recipe: attack is a section: take the line [attack] out,"),
    "a section of a field": (b"[salience]\nkind = 1", ": Recipe: salience is a section: take the line"),
    "dotted": (b"attack.epsilon = 0.1", ": Recipe: attack is a section"),
    "sections": (b"[[attack]]\nepsilon = 0.1", ": Recipe: there is no field 'attack'; "),
    "a date": (b"name = 2020-02-02", ": Recipe: name must be text, not datetime.date(2020, 2, 2)."),
    "a list": (b"steps = [1, 2]", ": Recipe: steps must be a whole number (steps), not [1, 2]."),
    "no number": (b"epsilon = nan", ": Recipe: epsilon is nan; give a finite number"),
    "out of range": (b"epsilon = -1", ": Recipe: epsilon is -1; give a number from 0 to 1"),
    "unknown": (b"batchsize = 1", ": Recipe: there is no field 'batchsize'; did you mean 'batch_size'?"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_recipe_is_named(case: str, tmp_path: Path) -> None:
    content, part = BAD_FILES[case]
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(SipError) as caught:
        Recipe.from_toml(path)
    assert str(caught.value).startswith(f"{path}{part}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.toml"):
        with pytest.raises(SipError) as caught:
            Recipe.from_toml(path)
        assert str(caught.value).startswith(f"The recipe {path} cannot be read: ")
