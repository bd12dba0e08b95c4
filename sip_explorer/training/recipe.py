"""The recipe of a training run: everything that decides the result, read from and written to TOML."""

import dataclasses
import difflib
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sip_explorer.records import SipError, write_text
from sip_explorer.training.recipe_contradictions import contradictions
from sip_explorer.training.recipe_fields import (
    FieldRule,
    Value,
    choice,
    number,
    rule_of,
    switch,
    text,
    whole,
)

METHODS = ("clean", "adversarial", "trades", "sip-at")
MAP_SOURCES = ("grad-cam", "integrated-gradients")  # what a reference model computes
SALIENCE_POLICIES = (
    "painted", "segmentation", "boxes", *MAP_SOURCES,
    *(f"{first}-else-{then}" for first in ("painted", "segmentation", "boxes") for then in MAP_SOURCES),
    "painted-else-segmentation", "none",
)  # fmt: skip
MERGES = ("none", "mean", "majority", "union", "intersection")
BUDGETS = ("hard", "soft", "inverted")
LOSSES = ("ce", "log-odds", "margin", "dlr", "rescaled-ce", "mifpe")
SCHEDULES = ("one-cycle", "cosine", "step", "constant")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
SHARE = "share of the [0,1] range"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training run, checked field by field when it is made.

    The defaults are the demo's: a small network on 28 px grey images, epsilon 0.1. The authors'
    own values stand in ``Recipe.authors``.

    Raises
    ------
    SipError
        When a value cannot stand in its field, or two fields contradict each other; the sentence
        names the field.
    """

    name: str = text("", "what the run is called")
    method: str = choice(
        "sip-at",
        METHODS,
        "clean images; adversarial images; both by TRADES; adversarial off the salience (SIP-AT)",
    )
    salience: str = choice(
        "painted-else-grad-cam", SALIENCE_POLICIES, "where the salience of SIP-AT comes from"
    )
    annotator: str = text("", "whose painted salience; empty: the workspace's first annotator")
    merge: str = choice("none", MERGES, "one annotator's salience, or that of all who painted the image")
    salience_layer: str = text("", "layer that Grad-CAM reads; empty: the last of at least 4 x 4 positions")
    unannotated: float = number(
        0.0, 0.0, 1.0, "images whose salience is left out, by class and seed", "share of the images"
    )
    budget: str = choice(
        "hard",
        BUDGETS,
        "what may move: pixels below half salience; each by 1 - salience; pixels from half salience on",
    )
    salient_share: float = number(
        0.0, 0.0, 1.0, "how far protected pixels may move all the same", "share of epsilon"
    )
    salient_share_epochs: float = number(
        0.0, 0.0, 1e5, "salient_share grows from 0 over this time; 0: it stands at once", "epochs"
    )
    collection: str = text("", "which collection of images to train on; empty: all training images")
    limit: int = whole(0, 0, "at most this many images, spread over the classes; 0: all", "images")
    flip: bool = switch(False, "mirror images and their salience at random, left to right")
    crop_padding: int = whole(0, 0, "shift images and their salience at random by up to", "px", maximum=512)
    rotation: float = number(0.0, 0.0, 180.0, "turn images and their salience at random by up to", "degrees")
    zoom: float = number(0.0, 0.0, 0.9, "scale images and their salience at random by up to", "share")
    jitter: float = number(0.0, 0.0, 1.0, "change brightness, contrast and saturation by up to", "share")

    architecture: str = text("small-cnn", "network to build when no start checkpoint is given")
    start: str = text("", "checkpoint file to start from; empty: fresh weights")

    epsilon: float = number(0.1, 0.0, 1.0, "how far the attack may move a pixel", SHARE)
    steps: int = whole(10, 1, "steps of the inner attack", "steps", maximum=10_000)
    step_size: float | None = number(
        None, 0.0, 1.0, "attack step; left out: 2.5 epsilon / steps", SHARE, open_minimum=True, optional=True
    )
    random_start: bool = switch(True, "start the attack at a random point of the ball")
    loss: str = choice("ce", LOSSES, "loss that the inner attack climbs; TRADES climbs its divergence")
    reduction: str = choice("sum", ("sum", "mean"), "how the inner attack adds up its batch")
    attack_batch_size: int = whole(0, 0, "logical mini-batch of the mean reduction; 0: the batch", "images")
    attack_precision: str = choice("auto", PRECISIONS, "arithmetic of the inner attack")
    epsilon_warmup: float = number(
        0.0, 0.0, 1e4, "epsilon grows from 0 to its value over this time", "epochs"
    )
    trades_beta: float = number(1.0, 0.0, 1e3, "weight of the divergence in TRADES")

    epochs: int = whole(12, 1, "passes over the training images", "epochs", maximum=100_000)
    batch_size: int = whole(128, 1, "images per optimiser step", "images", maximum=65_536)
    accumulate: int = whole(1, 1, "parts that a batch is worked through in, to save memory", "parts", 65_536)
    learning_rate: float = number(0.05, 0.0, 100.0, "peak learning rate of SGD", "", open_minimum=True)
    momentum: float = number(0.9, 0.0, 1.0, "momentum of SGD")
    weight_decay: float = number(1e-4, 0.0, 1.0, "weight decay of SGD")
    schedule: str = choice("one-cycle", SCHEDULES, "how the learning rate moves over the run")
    schedule_epochs: int = whole(10, 1, "step schedule: epochs between two drops", "epochs")
    schedule_factor: float = number(0.75, 0.0, 1.0, "step schedule: factor of a drop", open_minimum=True)
    ema: float = number(0.0, 0.0, 1.0, "moving average of the weights: what a step keeps of it; 0: none")

    validation_fraction: float = number(
        0.1, 0.0, 0.5, "held out of training, by class", "share of the images", open_minimum=True
    )
    validation_images: int = whole(256, 0, "held-out images attacked after an epoch; 0: none", "images")
    validation_steps: int = whole(10, 1, "steps of the validation attack", "steps", maximum=10_000)
    best: str = choice("clean", ("clean", "robust"), "validation accuracy that picks the best checkpoint")
    patience: int = whole(
        0, 0, "end after this time without a better validation accuracy; 0: never", "epochs"
    )

    seed: int = whole(0, 0, "fixes weights, order, split and random starts", maximum=2**31 - 1)
    device: str = text("auto", "auto, cpu, cuda or cuda:n")
    precision: str = choice("auto", PRECISIONS, "arithmetic of the training step")
    channels_last: bool = switch(True, "memory layout that convolutions are fastest in")
    compile: bool = switch(False, "compile the network first (torch.compile)")
    snapshot_every: int = whole(0, 0, "keep a snapshot every so many epochs; 0: none", "epochs")

    def __post_init__(self) -> None:
        for declared in dataclasses.fields(self):
            try:
                value = rule_of(declared).parse(declared.name, getattr(self, declared.name))
            except ValueError as error:
                raise SipError(f"Recipe: {error}") from None
            object.__setattr__(self, declared.name, value)
        for sentence in contradictions(self):
            raise SipError(f"Recipe: {sentence}")

    @classmethod
    def authors(cls, **changes: Any) -> Self:
        """Return the SIP-AT authors' recipe (arXiv 2501.09086, methods of the paper and its code).

        Epsilon 8/255, 32 steps of 1/255, SGD 0.1 with StepLR(10, 0.75), 50 epochs, batch 32.
        """
        values: dict[str, Any] = {
            "epsilon": 8 / 255, "steps": 32, "step_size": 1 / 255, "epochs": 50, "batch_size": 32,
            "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-6, "schedule": "step",
            "schedule_epochs": 10, "schedule_factor": 0.75, "validation_fraction": 0.1,
        }  # fmt: skip
        return cls(**{**values, **changes})

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Return the recipe of ``values``; a key that is no field is refused by name (SipError)."""
        rules = cls.rules()
        for key in values:
            if key not in rules:
                raise SipError(f"Recipe: there is no field {key!r}{_suggestion(key, rules)}.")
        return cls(**values)

    @classmethod
    def from_toml(cls, path: Path | str) -> Self:
        """Return the recipe in the file ``path``; SipError, naming the file, where it is none."""
        try:
            values = tomllib.loads(Path(path).read_text("utf-8"))
        except OSError as error:
            raise SipError(f"The recipe {path} cannot be read: {error.strerror or error}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SipError(f"{path} is not a TOML file: {error}.") from None
        try:
            return cls.from_mapping(values)
        except SipError as error:
            raise SipError(f"{path}: {error}") from None

    def to_toml(self) -> str:
        """Return the recipe as TOML, one field a line with its unit; reads back as the same recipe."""
        lines = []
        for name, rule in self.rules().items():
            value = getattr(self, name)
            if value is None:
                continue
            unit = f"  # {rule.unit}" if rule.unit else ""
            lines.append(f"{name} = {_toml_value(value)}{unit}")
        return "\n".join(lines) + "\n"

    def save(self, path: Path | str) -> None:
        """Write the recipe to ``path`` as TOML, atomically."""
        write_text(path, self.to_toml())

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like a new one."""
        return type(self).from_mapping({**dataclasses.asdict(self), **changes})

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with every field but the name."""
        plain = self.replace(name="").to_toml()
        return hashlib.sha256(plain.encode()).hexdigest()[:16]

    @property
    def family(self) -> str:
        """Sixteen hexadecimal digits that recipes share which differ in nothing but name and seed."""
        return self.replace(seed=0).hash

    @property
    def needs_salience(self) -> bool:
        """Whether the run uses salience at all."""
        return bool(self.salience_sources)

    @property
    def needs_reference(self) -> bool:
        """Whether maps of a reference classifier may be needed."""
        return any(source in MAP_SOURCES for source in self.salience_sources)

    @property
    def salience_sources(self) -> tuple[str, ...]:
        """Sources of salience in the order in which they are asked; () where the run uses none."""
        if self.method != "sip-at" or self.salience == "none":
            return ()
        return tuple(self.salience.split("-else-"))

    @classmethod
    def rules(cls) -> dict[str, FieldRule]:
        """Return field name -> rule, in the order of a form."""
        return {declared.name: rule_of(declared) for declared in dataclasses.fields(cls)}

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Return field name -> sentence for every value that cannot stand; empty where all can.

        A form calls this at each change; contradictions between fields are reported under the
        first field that they name.
        """
        rules = cls.rules()
        found: dict[str, str] = {}
        for key, value in values.items():
            if key not in rules:
                found[key] = f"There is no field {key!r}{_suggestion(key, rules)}."
                continue
            try:
                rules[key].parse(key, value)
            except ValueError as error:
                found[key] = str(error)
        if not found:
            try:
                cls.from_mapping(values)
            except SipError as error:
                sentence = str(error).removeprefix("Recipe: ")
                found[sentence.split(" ", 1)[0]] = sentence
        return found


def _suggestion(key: str, rules: Mapping[str, FieldRule]) -> str:
    near = difflib.get_close_matches(key, rules, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; the fields are {', '.join(rules)}"


def _toml_value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
