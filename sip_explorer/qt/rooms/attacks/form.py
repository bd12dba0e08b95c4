"""What is attacked and how: the inspector of the Attack room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QSpinBox, QWidget

from sip_explorer.qt.rooms.attacks.sweep_results import Variant
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.model_list import CurrentModelBox, ModelCheckList
from sip_explorer.qt.widgets.section import Row
from sip_explorer.records.epsilon import format_epsilon, parse_epsilons
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.attacks import PGD

LOSSES = {
    "log-odds": "log-odds",
    "ce": "cross-entropy (CE)",
    "margin": "margin",
    "dlr": "difference of logits ratio",
    "rescaled-ce": "rescaled cross-entropy",
    "mifpe": "MIFPE",
}
REDUCTIONS = {"sum": "sum over the batch", "mean": "mean over the batch"}
PRECISIONS = {"float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
STEPS = {"sign": "sign or unit length", "raw": "raw gradient × 1"}
COMPARED = (
    Variant("ce", "mean", "float32"),
    Variant("ce", "mean", "bfloat16"),
    Variant("log-odds", "sum", "float32"),
    Variant("log-odds", "sum", "bfloat16"),
)
"""The paper's question: does the batch size matter, and for which loss and precision?"""

DEFAULT_EPSILONS = "2/255, 4/255, 8/255, 16/255, 0.1"
DEFAULT_BATCH_SIZES = "1, 16, 64, 256"
TEST, STRIP = "test", "strip"


@dataclass(frozen=True)
class Choice:
    """A valid form: what a sweep and a preview need."""

    epsilons: tuple[float, ...]
    batch_sizes: tuple[int, ...]
    variant: Variant
    compare: bool
    images: str
    count: int
    steps: int
    restarts: int
    seed: int
    norm: str
    step: str

    @property
    def step_rule(self) -> str:
        """The step rule of `PGD`: the usual one of the norm, or the raw gradient."""
        return "raw" if self.step == "raw" else "sign" if self.norm == "linf" else "normalised"

    @property
    def step_size(self) -> float | None:
        """1 for raw steps, whose length is the gradient's; else None: 2.5 · ε / steps."""
        return 1.0 if self.step == "raw" else None

    @property
    def words(self) -> str:
        """What all attacks of the sweep have in common."""
        raw = ", raw gradient steps" if self.step == "raw" else ""
        restarts = f", {self.restarts} restarts" if self.restarts > 1 else ""
        return f"PGD with {self.steps} steps{restarts}, {'L∞' if self.norm == 'linf' else 'L2'}{raw}"

    @property
    def variants(self) -> tuple[Variant, ...]:
        """What the sweep compares, the chosen one first."""
        others = tuple(v for v in COMPARED if v != self.variant) if self.compare else ()
        return (self.variant, *others)

    def attack(self, variant: Variant) -> PGD:
        """Return PGD as chosen. Where there is no gradient there is no step, as in the sweep."""
        from sip_explorer.attacks import PGD

        return PGD(
            norm=self.norm,  # type: ignore[arg-type]
            epsilon=max(self.epsilons),
            steps=self.steps,
            loss=variant.loss,  # type: ignore[arg-type]
            reduction=variant.reduction,  # type: ignore[arg-type]
            step=self.step_rule,  # type: ignore[arg-type]
            step_size=self.step_size,
            precision=variant.precision,  # type: ignore[arg-type]
            zero_gradient="stay",
            restarts=self.restarts,
            seed=self.seed,
        )


class AttackForm(QWidget):
    """Fills an `Inspector` with sections; ``changed`` says that the choice may be another one."""

    changed = Signal()

    def __init__(self, session: Session, inspector: Inspector) -> None:
        super().__init__(inspector)
        self.hide()  # only its fields are shown, in the inspector's sections
        self._fill_models(session, inspector)
        self._fill_conditions(inspector)
        self._fill_attack(inspector)
        self._fill_images(inspector)
        self._read()

    def choice(self) -> Choice:
        """Return the form's values.

        Raises
        ------
        ValueError
            With a sentence that names the field.
        """
        return Choice(
            parse_epsilons(self.epsilons.text()),
            parse_batch_sizes(self.batch_sizes.text()),
            Variant(self.loss.currentData(), self.reduction.currentData(), self.precision.currentData()),
            self.compare.isChecked(),
            self.images.currentData(),
            self.count.value(),
            self.steps.value(),
            self.restarts.value(),
            self.seed.value(),
            self.norm.currentData(),
            self.step.currentData(),
        )

    def has_models(self) -> bool:
        """Whether there is any model to tick."""
        return self._models.count() > 0

    # ---- making ---------------------------------------------------------------------------

    def _fill_models(self, session: Session, inspector: Inspector) -> None:
        section = inspector.add_section("Models")
        self._models = ModelCheckList(session)
        section.add_widget(self._models)
        section.add_row("On show", CurrentModelBox(session), tip="The model whose perturbations are shown")

    def _fill_conditions(self, inspector: Inspector) -> None:
        section = inspector.add_section("Epsilons and batch sizes")
        self.epsilons = QLineEdit(DEFAULT_EPSILONS)
        self.batch_sizes = QLineEdit(DEFAULT_BATCH_SIZES)
        for label, edit, tip in (
            (
                "Epsilons",
                self.epsilons,
                "The largest change of a pixel value in [0, 1], as n/255 or a fraction",
            ),
            (
                "Batch sizes",
                self.batch_sizes,
                "How many images share one mini-batch of the attack; "
                "a sweep of fewer images weighs them as in a full one",
            ),
        ):
            row = section.add_row(label, edit, tip=tip)
            default = edit.text()
            row.track(edit.textChanged, edit.text, lambda e=edit, d=default: e.setText(d), default)
            edit.textChanged.connect(self._read)
            edit.setCursorPosition(0)
        self._reading = QLabel()
        self._reading.setWordWrap(True)
        section.add_widget(self._reading)

    def _fill_attack(self, inspector: Inspector) -> None:
        section = inspector.add_section("Attack (PGD)")
        self.loss = _combo(LOSSES)
        self.reduction = _combo(REDUCTIONS)
        self.precision = _combo(PRECISIONS)
        self.steps = _spin(1, 1000, 10)
        for label, editor, tip in (
            ("Loss", self.loss, "What the attack climbs"),
            ("Reduction", self.reduction, "A mean divides every image's gradient by the batch size"),
            ("Precision", self.precision, "Arithmetic of the model while it is attacked"),
            ("Steps", self.steps, "Each 2.5 · ε / steps long; a raw one is the gradient itself"),
        ):
            _track(section.add_row(label, editor, tip=tip), editor)
        self.compare = QCheckBox("Compare CE mean with log-odds sum,\nin float32 and bfloat16")
        self.compare.setChecked(True)
        self.compare.setToolTip("Attacks the images with these four attacks beside the one chosen above")
        section.add_widget(self.compare)
        more = inspector.add_section("More", folded=True)
        self.norm = _combo({"linf": "L∞", "l2": "L2"})
        self.step = _combo(STEPS)
        row = more.add_row("Each step", self.step, tip="A mean shrinks the raw gradient with the batch size")
        _track(row, self.step)
        self.restarts = _spin(1, 50, 1)
        self.seed = _spin(0, 2**31 - 1, 0)
        for label, editor in (("Norm", self.norm), ("Restarts", self.restarts), ("Seed", self.seed)):
            _track(more.add_row(label, editor), editor)
        for combo in (self.loss, self.reduction, self.precision, self.norm, self.step):
            combo.currentIndexChanged.connect(self._read)
        for spin in (self.steps, self.restarts, self.seed):
            spin.valueChanged.connect(self._read)

    def _fill_images(self, inspector: Inspector) -> None:
        section = inspector.add_section("Images of the sweep")
        self.images = _combo({TEST: "test images", STRIP: "film strip"})
        self.count = _spin(1, 100_000, 100)
        section.add_row("From", self.images, tip="Spread evenly over the chosen images")
        _track(section.add_row("How many", self.count), self.count)

    def _read(self, *_: object) -> None:
        try:
            choice = self.choice()
        except ValueError as error:
            text, role = str(error), "bad"
        else:
            text, role = "ε " + "; ".join(format_epsilon(e) for e in choice.epsilons), "caption"
        self._reading.setText(text)
        if self._reading.property("role") != role:
            self._reading.setProperty("role", role)
            self._reading.style().unpolish(self._reading)
            self._reading.style().polish(self._reading)
        self.changed.emit()


def parse_batch_sizes(text: str) -> tuple[int, ...]:
    """Return the batch sizes of a list, ascending and without repeats; ValueError with a sentence."""
    sizes = set()
    for part in text.replace(";", ",").replace(" ", ",").split(","):
        if part:
            if not part.isdigit() or not 1 <= int(part) <= 1_000_000:
                raise ValueError(f"Batch size “{part}” is no whole number of at least 1: write 1, 16, 256.")
            sizes.add(int(part))
    if not sizes:
        raise ValueError("No batch size is given: write for example 1, 16, 256.")
    return tuple(sorted(sizes))


def _track(row: Row, editor: QComboBox | QSpinBox) -> None:
    """Give a row its reset mark."""
    if isinstance(editor, QComboBox):
        row.track(editor.currentIndexChanged, editor.currentIndex, lambda: editor.setCurrentIndex(0), 0)
    else:
        default = editor.value()
        row.track(editor.valueChanged, editor.value, lambda: editor.setValue(default), default)


def _combo(choices: dict[str, str]) -> QComboBox:
    box = QComboBox()
    for key, words in choices.items():
        box.addItem(words, key)
    return box


def _spin(low: int, high: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    return box
