"""Recipes: every field is checked, by name and with its unit, and TOML brings the same recipe back."""

from pathlib import Path

import pytest

from sip_explorer.records import SipError
from sip_explorer.training import Recipe

RECIPES = Path(__file__).resolve().parents[2] / "resources" / "recipes"

BAD = [
    ("epsilon", -0.1, "from 0 to 1 (share of the [0,1] range)"),
    ("epsilon", float("nan"), "finite"),
    ("epsilon", "8/0", "must be a number"),
    ("epsilon", True, "must be a number"),
    ("step_size", 0, "above 0 to 1"),
    ("steps", 2.5, "whole number (steps)"),
    ("steps", 0, "from 1 to 10000 (steps)"),
    ("batch_size", 0, "(images)"),
    ("epochs", "many", "whole number (epochs)"),
    ("method", "sip", "choose one of clean, adversarial, trades, sip-at"),
    ("salience", "gradcam", "choose one of painted"),
    ("flip", 1, "true or false"),
    ("name", 3, "must be text"),
    ("learning_rate", float("inf"), "finite"),
    ("seed", -1, "from 0"),
    ("validation_fraction", 0, "above 0 to 0.5"),
]


@pytest.mark.parametrize(("field", "value", "part"), BAD)
def test_a_bad_value_is_refused_with_field_and_range(field: str, value: object, part: str) -> None:
    with pytest.raises(SipError) as caught:
        Recipe.from_mapping({field: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"Recipe: {field} ")
    assert part in sentence
    assert "\n" not in sentence
    assert list(Recipe.problems({field: value})) == [field]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"epsilon_warmup": 5, "epochs": 3}, "epsilon_warmup"),
        ({"best": "robust", "validation_images": 0}, "best"),
        ({"attack_batch_size": 4}, "attack_batch_size"),
        ({"momentum": 1}, "momentum"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(values: dict[str, object], field: str) -> None:
    with pytest.raises(SipError, match=field):
        Recipe.from_mapping(values)
    assert list(Recipe.problems(values)) == [field]


def test_an_unknown_key_is_refused_by_name_with_the_nearest_field() -> None:
    with pytest.raises(SipError, match="no field 'epsilonn'; did you mean 'epsilon'"):
        Recipe.from_mapping({"epsilonn": 0.1})


def test_fractions_are_numbers() -> None:
    assert Recipe.from_mapping({"epsilon": "8/255"}).epsilon == 8 / 255


def test_toml_brings_the_same_recipe_back(tmp_path: Path) -> None:
    made = Recipe.authors(name='a "quoted" näme\n', step_size=1 / 255, flip=True)
    made.save(tmp_path / "recipe.toml")
    assert Recipe.from_toml(tmp_path / "recipe.toml") == made
    Recipe().save(tmp_path / "default.toml")
    assert Recipe.from_toml(tmp_path / "default.toml") == Recipe()


def test_a_file_that_is_no_recipe_is_named(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    with pytest.raises(SipError, match=r"recipe\.toml cannot be read"):
        Recipe.from_toml(path)
    path.write_text("epsilon = = 1")
    with pytest.raises(SipError, match=r"recipe\.toml is not a TOML file"):
        Recipe.from_toml(path)
    path.write_text("epsilon = -1")
    with pytest.raises(SipError, match=r"recipe\.toml: Recipe: epsilon"):
        Recipe.from_toml(path)


def test_the_hash_changes_with_every_field_but_the_name() -> None:
    recipe = Recipe()
    assert recipe.replace(name="other").hash == recipe.hash
    assert recipe.replace(seed=1).hash != recipe.hash
    assert recipe.replace(step_size=0.01).hash != recipe.hash


def test_the_recipes_that_are_shipped_are_valid() -> None:
    found = sorted(RECIPES.glob("*.toml"))
    assert {"fashion-standard", "fashion-adversarial", "fashion-sip-at"} <= {path.stem for path in found}
    for path in found:
        if path.stem.startswith("fashion-") and "flow" not in path.stem:
            assert Recipe.from_toml(path).name == path.stem
