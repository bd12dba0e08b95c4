"""The recipes that come with the program: each is valid, says what it is for, and is what it claims to be."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sip_explorer.protoflow import build_protoflow
from sip_explorer.records import SipError
from sip_explorer.training import Recipe
from sip_explorer.training.any_recipe import read_recipe
from sip_explorer.training.presets import presets, purpose, recipe_file
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe

ROOT = Path(__file__).resolve().parents[2]
PRESETS = presets()


def test_all_of_the_folder_are_offered() -> None:
    assert set(PRESETS.values()) == set((ROOT / "resources" / "recipes").glob("*.toml"))
    assert {"cub-sip-at", "cifar10-sip-at", "garments-sip-at", "fashion-sip-at", "demo"} <= set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_and_says_what_it_is_for(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(PRESETS[name])
    assert recipe.name == name
    recipe.save(tmp_path / "recipe.toml")
    assert read_recipe(tmp_path / "recipe.toml") == recipe
    assert purpose(PRESETS[name]).endswith(".")
    lines = PRESETS[name].read_text("utf-8").splitlines()
    told = " ".join(line for line in lines if line.startswith("#"))
    assert "Values: " in told or "field by field" in told
    assert len(lines) == len(set(lines))


def test_the_authors_recipe_is_theirs_field_by_field() -> None:
    assert Recipe.from_toml(PRESETS["cub-sip-at"]) == Recipe.authors(name="cub-sip-at")
    theirs = {
        "method": "sip-at", "salience": "segmentation", "budget": "hard", "unannotated": 0.0,
        "salient_share": 0.0, "architecture": "densenet121", "normalisation": "imagenet",
        "epsilon": 8 / 255, "steps": 32, "step_size": 1 / 255, "random_start": True, "loss": "ce",
        "reduction": "sum", "epsilon_warmup": 0.0, "attack_precision": "float32", "epochs": 50,
        "batch_size": 32, "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-6,
        "schedule": "step", "schedule_epochs": 10, "schedule_factor": 0.75, "ema": 0.0,
        "validation_fraction": 0.1, "best": "clean", "patience": 0, "precision": "float32",
        "flip": False, "crop_padding": 0, "rotation": 0.0, "zoom": 0.0, "jitter": 0.0, "limit": 0,
    }  # fmt: skip
    recipe = Recipe.authors()
    assert {name: getattr(recipe, name) for name in theirs} == theirs


@pytest.mark.parametrize("family", ["cifar10", "fashion", "garments"])
def test_sip_at_and_its_baseline_differ_in_the_salience_alone(family: str) -> None:
    baseline = Recipe.from_toml(PRESETS[f"{family}-adversarial"])
    sip_at = Recipe.from_toml(PRESETS[f"{family}-sip-at"])
    assert sip_at.needs_salience
    assert sip_at.replace(name=baseline.name, method="adversarial", salience=baseline.salience) == baseline


@pytest.mark.parametrize(
    ("name", "setting"),
    [("garments-standard", "clean"), ("garments-adversarial", "at"), ("garments-sip-at", "sip-at")],
)
def test_the_garments_are_trained_as_for_the_claims(name: str, setting: str) -> None:
    recipe = Recipe.from_toml(PRESETS[name])
    claim = _claims().SIP_AT
    changes = next(one.changes for one in claim.settings if one.name == setting)
    for field, value in {**claim.shared, **changes}.items():
        if setting == "clean" and field not in ("method", "epsilon", "batch_size", "schedule", "precision"):
            continue  # of the attack, which there is none of
        scale = recipe.epochs if field == "epsilon_warmup" else 1
        assert getattr(recipe, field) == (value if scale == 1 else value * scale), field


@pytest.mark.parametrize(
    ("name", "shape", "least", "most"),
    [
        ("protoflow-fashion", (1, 28, 28), 0.5e6, 2e6),
        ("protoflow-gpu", (1, 28, 28), 5e6, 15e6),
        ("protoflow-cifar10", (3, 32, 32), 5e6, 25e6),
    ],
)
def test_a_flow_has_the_size_that_its_recipe_says(
    name: str, shape: tuple[int, int, int], least: float, most: float
) -> None:
    recipe = ProtoFlowRecipe.from_toml(PRESETS[name])
    flow = build_protoflow(recipe.flow_config(shape), [str(label) for label in range(10)], seed=0)
    count = sum(parameter.numel() for parameter in flow.parameters())
    assert least < count < most
    millions = f"about {count / 1e6:.0f} million" if count >= 2e6 else "under 2 million"
    assert millions in purpose(PRESETS[name])


def test_every_setting_of_the_claims_is_a_recipe() -> None:
    for claim in _claims().CLAIMS.values():
        for setting in claim.settings:
            Recipe(**{**claim.shared, **setting.changes})


def test_a_recipe_is_found_by_file_or_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert recipe_file("demo") == PRESETS["demo"]
    assert recipe_file(tmp_path / "missing.toml") == tmp_path / "missing.toml"
    (tmp_path / "demo").mkdir()
    assert recipe_file("demo") == PRESETS["demo"]
    (tmp_path / "demo").rmdir()
    (tmp_path / "demo").write_text("")
    assert recipe_file("demo") == Path("demo")
    with pytest.raises(SipError, match="no preset of that name; did you mean 'fashion-sip-at'"):
        recipe_file("fashion-sipat")
    with pytest.raises(SipError, match="no preset of that name; the presets are cifar10-adversarial, "):
        recipe_file("?")


def _claims() -> ModuleType:
    name = "claims_settings"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / "benchmarks" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
