"""Recipes from the menu of the Train room."""

from sip_explorer.training import Recipe
from sip_explorer.training.presets import presets


def test_the_menu_offers_every_shipped_recipe_and_puts_it_into_the_form(room):
    actions = {action.text(): action for action in room.recipes.menu().actions()}
    assert set(presets()) < set(actions)
    actions["garments-adversarial"].trigger()
    shipped = Recipe.from_toml(presets()["garments-adversarial"])
    form = room.panel.form
    assert form.value("method") == shipped.method
    assert form.value("architecture") == shipped.architecture
    assert form.recipe(name=shipped.name).replace(annotator="") == shipped


def test_a_recipe_goes_out_to_a_file_and_comes_back(room, tmp_path):
    room.recipes.menu().actions()[0].trigger()
    before = room.panel.form.values()
    room.recipes.save(tmp_path / "kept.toml")
    room.panel.form.fields["epochs"].set_value(3)
    assert room.panel.form.values() != before
    room.recipes.open(tmp_path / "kept.toml")
    assert room.panel.form.values() == before


def test_a_file_that_is_no_recipe_is_a_sentence(room, tmp_path):
    problems = []
    room.session.problem.connect(lambda sentence, _detail: problems.append(sentence))
    (tmp_path / "no.toml").write_text("epsilno = 1", "utf-8")
    room.recipes.open(tmp_path / "no.toml")
    assert problems
    assert "did you mean 'epsilon'" in problems[0]
