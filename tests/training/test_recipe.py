"""Recipes: each bad one gives its sentence, with field and unit; what works is not refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from sip_explorer.records import SipError
from sip_explorer.salience import MERGES
from sip_explorer.training import FieldRule, Recipe

NOT_TEXT = (3, True, 1.5, None, ["a"])
NOT_A_SWITCH = (1, 0, "true", None, [])
NOT_A_NUMBER = ("many", "8/0", "1/2/3", "8/", "", True, [0.5], {"a": 1})
NOT_FINITE = (float("nan"), float("inf"), -float("inf"), "nan", "1e999", 10**400)


def _bad(rule: FieldRule) -> Iterator[tuple[Any, str]]:
    """Values that cannot stand under ``rule``, and what their sentence must say."""
    if rule.kind in ("text", "choice"):
        yield from ((value, "must be text") for value in NOT_TEXT)
        if rule.kind == "choice":
            yield from (
                (value, f"choose one of {', '.join(rule.choices)}.") for value in ("", "Clean", "x" * 99)
            )
        return
    if rule.kind == "switch":
        yield from ((value, "true or false") for value in NOT_A_SWITCH)
        return
    what = "a whole number" if rule.kind == "whole" else "a number"
    unit = f" ({rule.unit})" if rule.unit else ""
    yield from ((value, f"must be {what}{unit}, not ") for value in NOT_A_NUMBER)
    yield from ((value, f"give a finite number {rule.range_text()}.") for value in NOT_FINITE)
    if not rule.optional:
        yield None, f"must be {what}{unit}"
    if rule.kind == "whole":
        yield rule.minimum + 0.5, f"must be a whole number{unit}"
    span = f"give {what} {rule.range_text()}."
    assert unit in span
    beyond = 1 if rule.kind == "whole" else 1e-6
    yield rule.minimum - beyond, span
    yield rule.maximum + beyond, span
    if rule.open_minimum:
        yield rule.minimum, span
    if rule.open_maximum:
        yield rule.maximum, span


@pytest.mark.parametrize("name", Recipe.rules())
def test_a_bad_value_is_refused_with_field_range_and_unit(name: str) -> None:
    for value, part in _bad(Recipe.rules()[name]):
        with pytest.raises(SipError) as caught:
            Recipe.from_mapping({name: value})
        sentence = str(caught.value)
        assert sentence.startswith(f"Recipe: {name} ")
        assert part in sentence
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert len(sentence) < 500
        assert Recipe.problems({name: value}) == {name: sentence.removeprefix("Recipe: ")}


@pytest.mark.parametrize("name", Recipe.rules())
def test_what_lies_on_the_edge_of_a_range_may_stand(name: str) -> None:
    rule = Recipe.rules()[name]
    if rule.kind in ("whole", "number"):
        edges = [] if rule.open_minimum else [rule.minimum]
        for edge in edges if rule.open_maximum else [*edges, rule.maximum]:
            assert rule.parse(name, edge) == edge
    elif rule.kind == "choice":
        assert [rule.parse(name, value) for value in rule.choices] == list(rule.choices)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"architecture": "resnet81"}, "architecture is 'resnet81', which is not known; did you mean "),
        ({"architecture": "?"}, "architecture is '?', which is not known; choose another, such as small"),
        ({"device": "gpu"}, "device is 'gpu'; give auto, cpu, mps, cuda or cuda:n."),
        ({"device": "cuda:"}, "device is 'cuda:'; give auto, cpu, mps, cuda or cuda:n."),
        ({"epsilon": 8}, "epsilon is 8; give a number from 0 to 1 (share of the [0,1] range)."),
        ({"momentum": 1}, "momentum is 1; give a number from 0 to below 1."),
        ({"learning_rate": 0}, "learning_rate is 0; give a number above 0 to 100."),
        ({"limit": -1}, "limit is -1; give a whole number from 0 to 1000000000 (images)."),
        ({"epsilonn": 0.1}, "there is no field 'epsilonn'; did you mean 'epsilon'?"),
        ({"qqq": 0.1}, "there is no field 'qqq'; the fields are name, method,"),
    ],
)  # fmt: skip
def test_sentences_tell_what_to_do(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SipError) as caught:
        Recipe.from_mapping(values)
    assert str(caught.value).startswith(f"Recipe: {sentence}")
    (told,) = Recipe.problems(values).values()
    assert told.startswith(sentence)


CONTRADICTIONS = {
    "a budget without salience": ({"method": "adversarial", "budget": "soft"}, "budget"),
    "a budget with salience none": ({"salience": "none", "budget": "inverted"}, "budget"),
    "a salient share without salience": ({"method": "trades", "salient_share": 0.5}, "salient_share"),
    "left out of nothing": ({"method": "clean", "unannotated": 0.5}, "unannotated"),
    "merged for nothing": ({"method": "adversarial", "merge": "mean"}, "merge"),
    "growing without salience": ({"method": "clean", "salient_share_epochs": 2}, "salient_share_epochs"),
    "merge without painted": ({"salience": "boxes", "merge": "union"}, "merge"),
    "merge of one annotator": ({"annotator": "Ada", "merge": "union"}, "merge"),
    "a layer without Grad-CAM": ({"salience": "painted", "salience_layer": "features"}, "salience_layer"),
    "a layer without salience": ({"method": "clean", "salience_layer": "features"}, "salience_layer"),
    "nothing protected": ({"salient_share": 1}, "salient_share"),
    "growing to nothing": ({"salient_share_epochs": 2}, "salient_share_epochs"),
    "growing beyond the end": (
        {"salient_share": 0.5, "salient_share_epochs": 13, "epochs": 12}, "salient_share_epochs"
    ),
    "a warm-up beyond the end": ({"epsilon_warmup": 5, "epochs": 3}, "epsilon_warmup"),
    "mini-batches of a sum": ({"attack_batch_size": 4}, "attack_batch_size"),
    "TRADES with a loss": ({"method": "trades", "loss": "dlr"}, "loss"),
    "TRADES with a mean": ({"method": "trades", "reduction": "mean"}, "reduction"),
    "TRADES from the image": ({"method": "trades", "random_start": False}, "random_start"),
    "beta without TRADES": ({"method": "adversarial", "trades_beta": 6}, "trades_beta"),
    "parts without an image": ({"accumulate": 9, "batch_size": 8}, "accumulate"),
    "best of what is not measured": ({"best": "robust", "validation_images": 0}, "best"),
    "two normalisations": ({"normalisation": "imagenet", "start": "a.safetensors"}, "normalisation"),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_fields_that_contradict_each_other_are_refused(case: str) -> None:
    values, field = CONTRADICTIONS[case]
    with pytest.raises(SipError) as caught:
        Recipe.from_mapping(values)
    sentence = str(caught.value)
    assert sentence.startswith(f"Recipe: {field} ")
    assert sentence.endswith(".")
    assert Recipe.problems(values) == {field: sentence.removeprefix("Recipe: ")}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_every_field_of_a_contradiction_alone_may_stand(case: str) -> None:
    values, field = CONTRADICTIONS[case]
    for name, value in values.items():
        if name != field:
            Recipe.from_mapping({name: value})


def test_all_contradictions_are_told_at_once() -> None:
    values = {"method": "trades", "loss": "dlr", "reduction": "mean", "epsilon_warmup": 13}
    assert list(Recipe.problems(values)) == ["epsilon_warmup", "loss", "reduction"]


@pytest.mark.parametrize("method", Recipe.rules()["method"].choices)
@pytest.mark.parametrize(
    "values",
    [
        {"epsilon": 0},
        {"precision": "float16", "attack_precision": "float16", "accumulate": 4, "ema": 0.9},
        {"compile": True, "channels_last": False},
        {"epsilon_warmup": 12, "epochs": 12, "patience": 40, "snapshot_every": 40},
        {"schedule": "step", "schedule_epochs": 100, "batch_size": 1},
        {"start": "model.pt", "flip": True, "crop_padding": 4, "rotation": 10, "zoom": 0.1, "jitter": 0.2},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_works_is_not_refused(method: str, values: dict[str, Any]) -> None:
    assert Recipe.problems({"method": method, **values}) == {}


def test_fractions_are_numbers() -> None:
    recipe = Recipe.from_mapping({"epsilon": "8/255", "step_size": " 1 / 255 ", "steps": "20"})
    assert (recipe.epsilon, recipe.step_size, recipe.steps) == (8 / 255, 1 / 255, 20)


def test_every_field_says_what_it_means_and_a_source_has_its_paper() -> None:
    rules = Recipe.rules()
    assert all(rule.help for rule in rules.values())
    sources = {name: rule.source for name, rule in rules.items() if rule.source}
    assert all("arXiv" in source or "ours" in source for source in sources.values())
    assert "8/255" in sources["epsilon"]
    assert sources["salient_share"] == "ours"


def test_the_hash_changes_with_every_field_but_the_name() -> None:
    recipe = Recipe()
    others: dict[str, Any] = {"architecture": "resnet18", "device": "cpu"}
    for name, rule in Recipe.rules().items():
        value = getattr(recipe, name)
        if rule.kind == "choice":
            others[name] = next(one for one in rule.choices if one != value)
        elif rule.kind == "switch":
            others[name] = not value
        else:
            others.setdefault(name, "other" if rule.kind == "text" else (value or 0) / 2 or 1)
    seen = {recipe.hash}
    for name, value in others.items():
        changed = object.__new__(Recipe)  # some changes alone contradict other fields
        for one in others:
            object.__setattr__(changed, one, value if one == name else getattr(recipe, one))
        assert (changed.hash in seen) == (name == "name"), name
        seen.add(changed.hash)
    assert recipe.replace(seed=1).family == recipe.family
    assert recipe.replace(seed=1).hash != recipe.hash


def test_a_recipe_may_ask_for_every_merge() -> None:
    merges = Recipe.rules()["merge"].choices
    assert set(merges) == {"none", *MERGES}
    assert Recipe(merge="staple").merge == "staple"
