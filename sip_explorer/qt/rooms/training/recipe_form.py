"""The recipe as a form: four groups and one folded, every value checked as it is typed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel

from sip_explorer.qt.rooms.training.choice_field import ChoiceField
from sip_explorer.qt.rooms.training.epsilon_form_field import EpsilonFormField
from sip_explorer.qt.rooms.training.form_field import FormField
from sip_explorer.qt.rooms.training.line_field import LineField
from sip_explorer.qt.rooms.training.switch_field import SwitchField
from sip_explorer.qt.rooms.training.words import CHOICES, LABELS, UNITS, for_people
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.section import Row, Section

if TYPE_CHECKING:
    from sip_explorer.training.recipe import Recipe

GROUPS: dict[str, tuple[str, ...]] = {
    "Data and salience": ("collection", "salience", "reference"),
    "Attack": ("method", "epsilon", "steps", "step_size"),
    "Optimiser": ("epochs", "batch_size", "learning_rate", "start", "architecture"),
    "Run": ("name", "seed", "device", "precision"),
}
ADVANCED: dict[str, tuple[str, ...]] = {
    "More on the attack": (
        "loss", "reduction", "attack_batch_size", "random_start", "attack_precision", "epsilon_warmup",
    ),
    "More on the optimiser": (
        "momentum", "weight_decay", "schedule", "schedule_epochs", "schedule_factor", "flip",
    ),
    "Validation": (
        "validation_fraction", "validation_images", "validation_steps", "best", "snapshot_every",
    ),
}  # fmt: skip
OFFERED = ("collection", "start", "architecture", "device")  # texts that are chosen, not typed


class RecipeForm(QObject):
    """Fills an inspector with the fields of a `Recipe` and makes the recipe of what they hold.

    ``reference`` (the id of the model whose Grad-CAM is wanted) is a field of the form alone.

    Signals
    -------
    changed()
        Some value is another; ``problems`` was brought up to date before.
    """

    changed = Signal()

    def __init__(self, inspector: Inspector, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from sip_explorer.training.recipe import Recipe

        self._recipe = Recipe
        self._rules = Recipe.rules()
        self._annotator = ""
        self.fields: dict[str, FormField] = {}
        self.rows: dict[str, Row] = {}
        self.problems: dict[str, str] = {}
        self.extra_problems: dict[str, str] = {}
        self.salience_note = QLabel()
        self.salience_note.setWordWrap(True)
        self.salience_note.setProperty("role", "muted")
        self.salience_note.setAccessibleName("Salience of the chosen images")
        defaults = dataclasses.asdict(Recipe())
        for title, keys in (*GROUPS.items(), *ADVANCED.items()):
            section = inspector.add_section(title, folded=title in ADVANCED)
            for key in keys:
                self._add(section, key, defaults.get(key, ""))
            if title == "Data and salience":
                section.add_widget(self.salience_note)
        self._check()

    # ---- what the form holds --------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """Return the recipe's fields as they stand, unchecked."""
        held = {key: field.value() for key, field in self.fields.items() if key in self._rules}
        return {**held, "annotator": self._annotator}

    def recipe(self, **changes: Any) -> Recipe:
        """Return the recipe; `SipError` where a value cannot stand."""
        return self._recipe.from_mapping({**self.values(), **changes})

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

    def set_problem(self, key: str, sentence: str) -> None:
        """Say why a value cannot stand here, for a reason that the recipe cannot know; empty: it can."""
        if self.extra_problems.get(key, "") != sentence:
            self.extra_problems[key] = sentence
            self._show_problems()

    @property
    def first_problem(self) -> str:
        """The sentence of the first field in the form's order whose value cannot stand, or empty."""
        return next((field.problem for field in self._told() if field.problem), "") or next(
            (field.own_problem() for field in self._told() if field.own_problem()), ""
        )

    # ---- inside ---------------------------------------------------------------------------

    def _told(self) -> list[FormField]:
        return list(self.fields.values())

    def _add(self, section: Section, key: str, default: Any) -> None:
        field = self._make(key, default)
        rule = self._rules.get(key)
        tip = rule.help[:1].upper() + rule.help[1:] + "." if rule else "The model whose Grad-CAM is salience."
        if key in UNITS:
            field.add_unit(UNITS[key])
        row = section.add_row(LABELS[key], field, tip=tip)
        row.track(field.changed, field.is_default, field.restore, True)
        field.changed.connect(self._check)
        self.fields[key], self.rows[key] = field, row

    def _make(self, key: str, default: Any) -> FormField:
        rule = self._rules.get(key)
        if key == "epsilon":
            return EpsilonFormField(default)
        if rule is None or key in OFFERED:
            return ChoiceField(_offers(key, default), default)
        if rule.kind == "choice":
            return ChoiceField([(value, CHOICES[key].get(value, value)) for value in rule.choices], default)
        if rule.kind == "switch":
            return SwitchField(default)
        return LineField(default, placeholder="automatic" if rule.optional else "")

    def _check(self) -> None:
        values = self.values()
        found = self._recipe.problems(values)
        self.problems = {key: for_people(sentence, key) for key, sentence in found.items()}
        self._show_problems()
        self._show_rows(values)
        self._show_step_size(values)
        self.changed.emit()

    def _show_problems(self) -> None:
        for key, field in self.fields.items():
            field.show_problem(self.problems.get(key) or self.extra_problems.get(key, ""))

    def _show_rows(self, values: dict[str, Any]) -> None:
        attacked = values["method"] != "clean"
        sip = values["method"] == "sip-at"
        grad_cam = sip and values["salience"] in ("painted-else-grad-cam", "grad-cam")
        shown = {
            "salience": sip,
            "reference": grad_cam,
            "steps": attacked,
            "step_size": attacked,
            "architecture": not values["start"],
            "attack_batch_size": values["reduction"] == "mean",
            "schedule_epochs": values["schedule"] == "step",
            "schedule_factor": values["schedule"] == "step",
        }
        for key, visible in shown.items():
            if self.rows[key].editor.isVisibleTo(self.rows[key].editor.parentWidget()) != visible:
                _keep_room(self.rows[key], visible)
                self.rows[key].set_visible(visible)
                self.rows[key].reset.setVisible(visible and not self.fields[key].is_default())

    def _show_step_size(self, values: dict[str, Any]) -> None:
        field = self.fields["step_size"]
        assert isinstance(field, LineField)
        try:
            step = 2.5 * float(values["epsilon"]) / int(values["steps"])
        except (ValueError, ZeroDivisionError):
            field.set_placeholder("automatic")
            return
        field.set_placeholder(f"{step:.4g}")
        field.show_hint("" if values["step_size"] else "automatic: 2.5 × epsilon / steps")


def _keep_room(row: Row, keep: bool) -> None:
    """A hidden reset mark keeps its room in a row, but a hidden row takes none."""
    policy = row.reset.sizePolicy()
    policy.setRetainSizeWhenHidden(keep)
    row.reset.setSizePolicy(policy)


def _offers(key: str, default: str) -> list[tuple[str, str]]:
    if key == "collection":
        return [("", "All training images")]
    if key == "start":
        return [("", "Fresh weights")]
    if key == "device":
        return [(value, CHOICES["device"][value]) for value in ("auto", "cpu")]
    return [(default, default)] if default else []
