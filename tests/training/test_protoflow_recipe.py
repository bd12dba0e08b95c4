"""Recipes of flows: read by their method, checked, hashed; sizes and stages."""

from pathlib import Path

import pytest

from sip_explorer.protoflow.presets import preset
from sip_explorer.records import SipError
from sip_explorer.training import Recipe
from sip_explorer.training.any_recipe import read_recipe, recipe_of
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe


def test_the_method_says_which_recipe_a_file_holds(tmp_path: Path) -> None:
    flow, clean = ProtoFlowRecipe(name="flow", minutes=3.0), Recipe(name="clean", method="clean")
    for recipe in (flow, clean):
        recipe.save(tmp_path / "recipe.toml")
        assert read_recipe(tmp_path / "recipe.toml") == recipe
    (tmp_path / "recipe.toml").write_text('method = "protoflow"\nepsilon = 0.1\n')
    with pytest.raises(SipError, match=r"recipe\.toml: Recipe: there is no field 'epsilon'"):
        read_recipe(tmp_path / "recipe.toml")
    with pytest.raises(SipError, match=r"method is 'flow'; choose one of clean, .*, sip-at, protoflow\."):
        recipe_of({"method": "flow"})
    assert recipe_of({}) == Recipe()


def test_the_hash_changes_with_every_field_but_the_name() -> None:
    recipe = ProtoFlowRecipe()
    assert recipe.replace(name="other").hash == recipe.hash
    assert recipe.replace(seed=3).family == recipe.family
    changed = {
        "collection": "few", "limit": 9, "flip": True, "consistency_weight": 1.0, "minutes": 4.0,
        "average": 0.5, "layout": "medium", "dequantisation": "variational", "seed": 3, "samples": 2,
    }  # fmt: skip
    hashes = {recipe.replace(**{name: value}).hash for name, value in changed.items()}
    assert len(hashes | {recipe.hash, Recipe().hash}) == len(changed) + 2


def test_the_same_images_are_chosen_as_by_a_classifiers_recipe() -> None:
    recipe = ProtoFlowRecipe(collection="few", limit=20, seed=3)
    chosen = recipe.selection
    assert (chosen.collection, chosen.limit, chosen.seed) == ("few", 20, 3)
    assert not chosen.needs_salience
    assert Recipe(seed=5).selection == Recipe(seed=5)


def test_a_layout_is_a_size_or_stages() -> None:
    shape = (1, 28, 28)
    size = ProtoFlowRecipe(layout="medium", components=3).flow_config(shape)
    assert size == preset("medium", shape, 3)
    assert size.dequantisation == "variational"
    plain = ProtoFlowRecipe(layout="medium", dequantisation="uniform", blocks=2).flow_config(shape)
    assert (plain.dequantisation, plain.blocks, plain.layout) == ("uniform", 2, size.layout)
    own = ProtoFlowRecipe(layout=" squeeze,steps 1x8 ,", blocks=1).flow_config(shape)
    assert (own.layout, own.blocks, own.dequantisation) == (("squeeze", "steps 1x8"), 1, "uniform")
    with pytest.raises(SipError, match="layout entry 'huge' is none of"):
        ProtoFlowRecipe(layout="huge").flow_config(shape)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"density_weight": 0, "classification_weight": 0}, "density_weight", "are both 0"),
        ({"warmup": 31}, "warmup", "longer than the run"),
        ({"outside": "white"}, "outside", "choose one of edge, black"),
        ({"device": "gpu"}, "device", "give auto, cpu"),
        ({"density": 1}, "density", "did you mean 'density_weight'"),
    ],
)
def test_a_form_and_a_file_are_told_the_same(values: dict, field: str, words: str) -> None:
    problems = ProtoFlowRecipe.problems(values)
    assert words in problems[field]
    with pytest.raises(SipError, match=words):
        ProtoFlowRecipe.from_mapping(values)
    assert ProtoFlowRecipe.problems({"warmup": 31, "minutes": 9}) == {}
