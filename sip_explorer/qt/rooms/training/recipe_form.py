"""The recipe as a form: groups, rare fields folded away, every value checked as it is typed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel

from sip_explorer.qt.rooms.training.choice_field import ChoiceField
from sip_explorer.qt.rooms.training.epsilon_form_field import EpsilonFormField
from sip_explorer.qt.rooms.training.form_field import FormField
from sip_explorer.qt.rooms.training.form_groups import groups, needless
from sip_explorer.qt.rooms.training.line_field import LineField
from sip_explorer.qt.rooms.training.more_button import MoreButton
from sip_explorer.qt.rooms.training.switch_field import SwitchField
from sip_explorer.qt.rooms.training.words import CHOICES, TIPS, UNITS, for_people, label
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.section import Row, Section

if TYPE_CHECKING:
    from sip_explorer.training.any_recipe import AnyRecipe

_DEFAULTS = {"place": "window"}  # of the fields that are no recipe's
OFFERED = ("collection", "start", "architecture", "device")  # texts that are chosen, not typed


class RecipeForm(QObject):
    """Fills an inspector with the fields of all recipes and makes the recipe of what they hold.

    Fields that classifiers and flows have in common are there once; their defaults follow the method.

    Three fields are of the form alone: ``reference`` (the id of the model whose maps are wanted),
    ``snapshot`` (the file of another run that this one goes on from) and ``place`` (where it works).

    Signals
    -------
    changed()
        Some value is another; ``problems`` was brought up to date before.
    """

    changed = Signal()

    def __init__(self, inspector: Inspector, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from sip_explorer.training.any_recipe import recipe_class, recipe_of
        from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
        from sip_explorer.training.recipe import Recipe

        self._recipe_of, self._class_of = recipe_of, recipe_class
        self._recipe: type[Recipe] | type[ProtoFlowRecipe] = Recipe
        self._rules = Recipe.rules()
        self._all_rules = {**ProtoFlowRecipe.rules(), **self._rules}
        self._annotator = ""
        self._needless: frozenset[str] = frozenset()
        self._loading = False
        self._own_warm_up = False
        self.fields: dict[str, FormField] = {}
        self.rows: dict[str, Row] = {}
        self.more: dict[str, MoreButton] = {}
        self.sections: dict[Section, tuple[str, ...]] = {}
        self.problems: dict[str, str] = {}
        self.extra_problems: dict[str, str] = {}
        self.salience_note = QLabel()
        self.salience_note.setWordWrap(True)
        self.salience_note.setProperty("role", "muted")
        self.salience_note.setAccessibleName("Salience of the chosen images")
        self._defaults = dataclasses.asdict(Recipe())
        defaults = {**dataclasses.asdict(ProtoFlowRecipe()), **self._defaults}
        for group in groups(self._all_rules):
            section = inspector.add_section(group.title)
            self.sections[section] = (*group.first, *group.more)
            for key in group.first:
                self._add(section, key, defaults)
            if "salience" in group.first:
                section.add_widget(self.salience_note)
            more = MoreButton(group.more)
            more.toggled.connect(self._show_rows)
            section.add_widget(more)
            for key in group.more:
                self._add(section, key, defaults)
                self.more[key] = more
        self.fields["epochs"].changed.connect(self._warm_up)
        self._warm_up()
        self._check()

    # ---- what the form holds --------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """Return the recipe's fields as they stand, unchecked; the default where one does not matter."""
        held = {key: field.value() for key, field in self.fields.items() if key in self._rules}
        unused = needless(held)
        held |= {key: self._defaults[key] for key in unused if key in held and key != "architecture"}
        if "annotator" not in self._rules:
            return held
        # All annotators are merged, or one is taken.
        return {**held, "annotator": "" if held["merge"] != "none" else self._annotator}

    def recipe(self, **changes: Any) -> AnyRecipe:
        """Return the recipe; `SipError` where a value cannot stand."""
        return self._recipe_of({**self.values(), **changes})

    def recipe_of(self, values: Mapping[str, Any]) -> AnyRecipe:
        """Return the recipe that ``values`` make, as they stand; `SipError` where one cannot stand."""
        return self._recipe_of(values)

    def load(self, values: Mapping[str, Any]) -> None:
        """Show a recipe: ``values`` as a run keeps them, defaults where it has none."""
        self._loading = True
        self._own_warm_up = True
        self.fields["method"].set_value(values.get("method", self._defaults["method"]))
        self._take_family()
        for key, field in self.fields.items():
            if key in self._rules:
                value = values.get(key, self._defaults[key])
                if isinstance(field, ChoiceField):
                    field.offer(value)
                field.set_value(value)
        self._loading = False
        self._check()

    def value(self, key: str) -> Any:
        """Return what one field holds."""
        return self.fields[key].value()

    def choice(self, key: str) -> ChoiceField:
        """Return a field that is a list."""
        field = self.fields[key]
        assert isinstance(field, ChoiceField)
        return field

    def set_annotator(self, name: str) -> None:
        """Whose painted masks the run takes."""
        self._annotator = name

    def matters(self, key: str) -> bool:
        """Whether a field decides anything under what is chosen."""
        return key not in self._needless

    def set_problem(self, key: str, sentence: str) -> None:
        """Say why a value cannot stand here, for a reason that the recipe cannot know; empty: it can."""
        if self.extra_problems.get(key, "") != sentence:
            self.extra_problems[key] = sentence
            self._show_problems()

    @property
    def first_problem(self) -> str:
        """The sentence of the first field in the form's order whose value cannot stand, or empty."""
        told = [field for key, field in self.fields.items() if self.matters(key)]
        return next((field.problem for field in told if field.problem), "") or next(
            (field.own_problem() for field in told if field.own_problem()), ""
        )

    # ---- inside ---------------------------------------------------------------------------

    def _add(self, section: Section, key: str, defaults: Mapping[str, Any]) -> None:
        field = self._make(key, defaults.get(key, _DEFAULTS.get(key, "")))
        rule = self._all_rules.get(key)
        tip = rule.help[:1].upper() + rule.help[1:] + "." if rule else TIPS[key]
        if rule and rule.source:
            tip += f"\nSource: {rule.source}."
        unit = UNITS.get(key, rule.unit if rule and len(rule.unit) <= 8 else "")
        if unit:
            field.add_unit(unit)
        row = section.add_row(label(key), field, tip=tip)
        row.track(field.changed, field.is_default, field.restore, True)
        field.changed.connect(self._check)
        self.fields[key], self.rows[key] = field, row

    def _make(self, key: str, default: Any) -> FormField:
        rule = self._all_rules.get(key)
        if key == "epsilon":
            return EpsilonFormField(default)
        if rule is None or key in OFFERED:
            return ChoiceField(_offers(key, default), default)
        if rule.kind == "choice":
            words = CHOICES.get(key, {})
            values = tuple(words) if key == "method" else rule.choices  # of all recipes
            return ChoiceField([(value, words.get(value, value)) for value in values], default)
        if rule.kind == "switch":
            return SwitchField(default)
        return LineField(default, placeholder="automatic" if rule.optional or key == "salience_layer" else "")

    def _warm_up(self) -> None:
        """Let epsilon grow over a third of the run, unless a recipe was loaded that says otherwise.

        From fresh weights a small network never leaves chance without.
        """
        epochs = str(self.fields["epochs"].value())
        if not self._own_warm_up and epochs.isdecimal():
            self.fields["epsilon_warmup"].set_default(float(int(epochs) // 3))

    def _take_family(self) -> None:
        """Take the fields of the method's recipes; what is at its default takes the new one."""
        recipe = self._class_of(self.fields["method"].value())
        if recipe is self._recipe:
            return
        before, loading = self._defaults, self._loading
        self._recipe, self._rules = recipe, recipe.rules()
        self._defaults = dataclasses.asdict(recipe())
        self._loading = True
        for key in self._rules:
            if (
                key in before
                and key != "method"
                and key in self.fields
                and before[key] != self._defaults[key]
            ):
                self.fields[key].set_default(self._defaults[key])
        self._loading = loading

    def _check(self) -> None:
        if self._loading:  # once all of it stands
            return
        self._take_family()
        values = self.values()
        self._needless = needless({key: field.value() for key, field in self.fields.items()})
        if not self.choice("snapshot").choices[1:]:
            self._needless |= {"snapshot"}
        found = self._recipe.problems(values)
        self.problems = {key: for_people(sentence, key) for key, sentence in found.items()}
        self._show_problems()
        self._show_rows()
        self._show_step_size(values)
        self.changed.emit()

    def _show_problems(self) -> None:
        for key, field in self.fields.items():
            field.show_problem(self.problems.get(key) or self.extra_problems.get(key, ""))
            if field.problem and key in self.more:
                self.more[key].setChecked(True)

    def _show_rows(self, *_: object) -> None:
        for button in set(self.more.values()):
            matter = [key for key in button.keys if self.matters(key)]
            button.setVisible(bool(matter))
            button.show_changed(sum(not self.fields[key].is_default() for key in matter))
        for section, keys in self.sections.items():
            section.setVisible(any(self.matters(key) for key in keys))
        for key, row in self.rows.items():
            folded = key in self.more and not self.more[key].isChecked()
            visible = self.matters(key) and not folded
            if row.editor.isHidden() == visible:
                _keep_room(row, visible)
                row.set_visible(visible)
                row.reset.setVisible(visible and not self.fields[key].is_default())

    def _show_step_size(self, values: dict[str, Any]) -> None:
        field = self.fields["step_size"]
        assert isinstance(field, LineField)
        try:
            step = 2.5 * float(values["epsilon"]) / int(values["steps"])
        except (KeyError, ValueError, ZeroDivisionError):
            field.set_placeholder("automatic")
            return
        field.set_placeholder(f"{step:.4g}")
        field.show_hint("" if values.get("step_size") else "automatic: 2.5 × epsilon / steps")


def _keep_room(row: Row, keep: bool) -> None:
    """A hidden reset mark keeps its room in a row, but a hidden row takes none."""
    policy = row.reset.sizePolicy()
    policy.setRetainSizeWhenHidden(keep)
    row.reset.setSizePolicy(policy)


def _offers(key: str, default: str) -> list[tuple[str, str]]:
    fixed = {
        "collection": [("", "All training images")],
        "start": [("", "Fresh weights")],
        "snapshot": [("", "The beginning")],
        "device": [(value, CHOICES["device"][value]) for value in ("auto", "cpu")],
        "place": list(CHOICES["place"].items()),
    }
    return fixed.get(key, [(default, default)] if default else [])
