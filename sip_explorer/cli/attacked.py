"""What a command attacks: models of a workspace, on its images, within a ball, recorded in a folder."""

import math
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sip_explorer.cli.progress import say
from sip_explorer.cli.workspaces import classifier_entry
from sip_explorer.records import Cancelled, SipError
from sip_explorer.records.epsilon import parse_epsilons

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from sip_explorer.attacks.pace import Pace
    from sip_explorer.attacks.request import Norm
    from sip_explorer.models import Classifier
    from sip_explorer.records.seeds import SeedFigure
    from sip_explorer.records.sweeps import CellResult
    from sip_explorer.workspace import Workspace

ModelsOption = Annotated[
    list[str], typer.Option("--model", "-m", help="A classifier of the workspace; repeatable.")
]
NormOption = Annotated[str | None, typer.Option(help="linf (the default) or l2.")]
ThreatModelOption = Annotated[
    str | None, typer.Option(help="Norm and epsilon by a usual name: linf-8/255, l2-0.5, linf-0.1.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:n.")]
MicroBatchOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Images at once, part of a result's identity; by default so few that a cancel is heard within "
        "a second, at most 64 on a CPU. Halved where memory does not suffice.",
    ),
]


@dataclass(frozen=True)
class Ball:
    """A norm, and epsilons in units of [0, 1] images, ascending."""

    norm: "Norm"
    epsilons: tuple[float, ...]

    @property
    def words(self) -> str:
        """The norm as people write it."""
        return "L∞" if self.norm == "linf" else "L2"

    @property
    def radius(self) -> float:
        """The one epsilon; SipError where there are several."""
        if len(self.epsilons) > 1:
            raise SipError(
                f"One epsilon is needed and --epsilons gives {len(self.epsilons)}: choose one of them."
            )
        return self.epsilons[0]


def ball(threat_model: str | None, norm: str | None, epsilons: str | None, default: dict[str, str]) -> Ball:
    """Return what the options mean; ``default`` has the epsilons where they are not given, by norm.

    Raises
    ------
    SipError
        An option is none of the known ones, or they contradict each other.
    """
    if threat_model is not None:
        from sip_explorer.attacks import threat_models

        if norm is not None or epsilons is not None:
            raise SipError("--threat-model says norm and epsilon: leave out --norm and --epsilons, or it.")
        known = threat_models()
        if threat_model not in known:
            raise SipError(f"The threat model {threat_model} is unknown; choose one of {', '.join(known)}.")
        return Ball(known[threat_model].norm, (known[threat_model].epsilon,))
    if norm is not None and norm not in default:
        raise SipError(f"The norm is {norm!r}; choose one of {', '.join(default)}.")
    chosen: Norm = "l2" if norm == "l2" else "linf"
    try:
        text = default[chosen] if epsilons is None else epsilons
        # How far L2 reaches depends on the images; the attack itself refuses what is too large.
        return Ball(chosen, parse_epsilons(text, 1.0 if chosen == "linf" else math.inf))
    except ValueError as error:
        raise SipError(str(error)) from None


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a list that is separated by commas, semicolons or spaces."""
    return tuple(word for word in re.split(r"[,;\s]+", text) if word)


def whole_numbers(text: str, what: str) -> tuple[int, ...]:
    """Return the numbers, all above 0, of a list; SipError that says it is no list of ``what``."""
    try:
        numbers = tuple(int(word) for word in words_of(text))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise SipError(f"“{text}” is no list of {what}.")
    return numbers


def load_models(workspace: "Workspace", names: Sequence[str]) -> "dict[str, Classifier]":
    """Return the classifiers by name, all of one input size and the same classes; else SipError."""
    entries = [classifier_entry(workspace, name) for name in names]
    models = {entry.name: entry.load() for entry in entries}
    first, *others = models.items()
    for name, model in others:
        if (model.input_shape, model.classes) != (first[1].input_shape, first[1].classes):
            raise SipError(
                f"{first[0]} and {name} take other images or know other classes: attack them one by one."
            )
    return models


def choose_images(workspace: "Workspace", split: str, count: int) -> "NDArray[np.int64]":
    """Return the ids of ``count`` labelled images: a fixed spread over the split, so that no class is out."""
    import numpy as np

    ids = workspace.image_ids(split=split)
    ids = ids[workspace.labels(ids) >= 0]
    if len(ids) == 0:
        raise SipError(f"The workspace {workspace.name} has no labelled {split} images: import some first.")
    chosen = np.random.default_rng(0).permutation(len(ids))[:count]
    return ids[np.sort(chosen)]


@dataclass(frozen=True)
class Attacked:
    """Models of one kind, and the images they are attacked on.

    Attributes
    ----------
    models
        By name.
    images, labels, ids
        (N, C, H, W) float32 in [0, 1], (N,) int64 among the models' classes, and (N,) ids.
    device
        Where the attacks run.
    """

    models: "dict[str, Classifier]"
    images: "torch.Tensor"
    labels: "torch.Tensor"
    ids: "NDArray[np.int64]"
    device: "torch.device"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def placed(self, name: str) -> "torch.nn.Module":
        """Return the model of that name, on the device."""
        from sip_explorer.attacks.placed import placed

        return placed(self.models[name], self.device, name)

    def pace(self, micro_batch: int | None, batch_size: int | None = None, out: Path | None = None) -> "Pace":
        """Return how many images go at once: as given, else as the folder ``out`` began, else few enough."""
        from sip_explorer.attacks.pace import Pace, common_pace
        from sip_explorer.records.sweeps import read_manifest

        began = {} if out is None else (read_manifest(out) or {}).get("settings", {})
        quick = common_pace(self.models.values(), self.shape, self.device)
        return Pace(
            micro_batch or began.get("micro_batch", quick.micro_batch),
            batch_size or began.get("batch_size", quick.batch_size),
        )


def attacked(
    workspace: "Workspace", models: "dict[str, Classifier]", ids: "NDArray[np.int64]", device: str
) -> Attacked:
    """Return ``models`` on the images ``ids``, as they take them; SipError where that cannot be."""
    import torch

    from sip_explorer.data.fitting import fit_images, fit_labels
    from sip_explorer.training.environment import resolve_device

    name, model = next(iter(models.items()))
    return Attacked(
        models=models,
        images=fit_images(workspace.images(ids, size=model.input_shape[1:]), model.input_shape),
        labels=torch.from_numpy(fit_labels(workspace.labels(ids), workspace.classes, model.classes, name)),
        ids=ids,
        device=resolve_device(device),
    )


@contextmanager
def results_folder(out: Path | None, make: Callable[[], Path]) -> Iterator[Path]:
    """Yield ``out``, or the new folder that ``make`` makes; it is removed again if nothing was found."""
    folder = make() if out is None else out
    try:
        yield folder
    except Cancelled:
        if _has_results(folder):
            say(f"What was found so far is in {folder}; --out with this folder goes on.")
        raise
    finally:
        if out is None and not _has_results(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _has_results(folder: Path) -> bool:
    return any(path.is_file() and path.name != "manifest.json" for path in folder.rglob("*"))


def write_tables(
    path: Path,
    cells: "Sequence[CellResult]",
    settings: dict[str, Any],
    seeds: "Sequence[SeedFigure]" = (),
) -> None:
    """Write the cells to ``path``; paired tests and figures over seeds to NAME-paired and NAME-seeds.

    Either only where there are any.
    """
    from sip_explorer.records.sweep_table import (
        paired_rows,
        write_paired_table,
        write_seeds_table,
        write_table,
    )

    with table_file(path):
        write_table(path, cells, settings)
    if paired_rows(cells):
        beside = path.with_name(f"{path.stem}-paired{path.suffix}")
        with table_file(beside):
            write_paired_table(beside, cells)
    if any(figure.count > 1 for figure in seeds):
        beside = path.with_name(f"{path.stem}-seeds{path.suffix}")
        with table_file(beside):
            write_seeds_table(beside, seeds)


@contextmanager
def table_file(path: Path) -> Iterator[None]:
    """Say where the table lies that is written within, or raise SipError that it cannot be."""
    try:
        yield
    except OSError as error:
        raise SipError(
            f"The table {path} cannot be written ({error.strerror}): choose another place; no result is lost."
        ) from error
    say(f"table: {path}")
