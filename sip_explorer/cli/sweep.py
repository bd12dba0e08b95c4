"""``sweep``: models × epsilons × batch sizes × losses, as in the Attack room."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from sip_explorer.cli.progress import follow, say, table
from sip_explorer.cli.workspaces import WorkspaceOption, classifier_entry, opened
from sip_explorer.records import CancelToken, SipError
from sip_explorer.records.epsilon import in_255ths, parse_epsilons

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.records.sweeps import CellResult
    from sip_explorer.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Example: sip-explorer sweep --model standard --model sip-at --epsilons 0,2/255,8/255 "
        "--batch-sizes 1,16,256 --losses ce,log-odds --reductions mean"
    )
    def sweep(
        model: Annotated[
            list[str], typer.Option("--model", "-m", help="A classifier of the workspace; repeatable.")
        ],
        workspace: WorkspaceOption = None,
        epsilons: Annotated[
            str, typer.Option(help="A list, each as n/255 or as a fraction.")
        ] = "0,2/255,4/255,8/255",
        batch_sizes: Annotated[str, typer.Option(help="Logical batch sizes, a list.")] = "1",
        losses: Annotated[str, typer.Option(help="A list: log-odds, ce, …")] = "log-odds",
        reductions: Annotated[str, typer.Option(help="A list: sum, mean.")] = "sum",
        precisions: Annotated[str, typer.Option(help="A list: float32, bfloat16, float16.")] = "float32",
        steps: Annotated[int, typer.Option(min=1, help="Steps of PGD.")] = 10,
        images: Annotated[int, typer.Option("--images", "-n", min=1, help="How many images.")] = 256,
        split: Annotated[str, typer.Option(help="Which images: test or train.")] = "test",
        seed: Annotated[int, typer.Option(min=0, help="Seed of the random starts.")] = 0,
        device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:n.")] = "auto",
        out: Annotated[
            Path | None,
            typer.Option(help="Sweep folder; by default a new one in the workspace. Goes on where it is."),
        ] = None,
    ) -> None:
        """Attack models over epsilons and batch sizes, and print the share of images misclassified."""
        import torch

        from sip_explorer.attacks import SweepSpec
        from sip_explorer.attacks import sweep as sweep_job
        from sip_explorer.data.fitting import fit_images, fit_labels
        from sip_explorer.models import load_checkpoint
        from sip_explorer.records.sweeps import read_sweep
        from sip_explorer.training.environment import resolve_device

        try:
            epsilon_values = parse_epsilons(epsilons)
        except ValueError as error:
            raise SipError(str(error)) from None
        spec = SweepSpec(
            epsilons=epsilon_values,
            batch_sizes=_whole_numbers(batch_sizes),
            losses=cast("Any", _words(losses)),
            reductions=cast("Any", _words(reductions)),
            precisions=cast("Any", _words(precisions)),
            steps=steps,
            seed=seed,
            zero_gradient="stay",  # the same rule for all: no gradient, no step
        )
        token = CancelToken()
        with opened(workspace) as open_workspace:
            ids = _choose_images(open_workspace, split, images)
            models = {
                entry.name: load_checkpoint(entry.path)
                for entry in (classifier_entry(open_workspace, name) for name in model)
            }
            kinds = {(loaded.input_shape, loaded.classes) for loaded in models.values()}
            if len(kinds) > 1:
                raise SipError("The models take other images or know other classes: sweep them one by one.")
            shape, classes = kinds.pop()
            pixels = fit_images(open_workspace.images(ids, size=shape[1:]), shape)
            labels = torch.from_numpy(
                fit_labels(open_workspace.labels(ids), open_workspace.classes, classes, next(iter(models)))
            )
            folder = out or open_workspace.new_sweep_folder("sweep")
            job = sweep_job(
                models,
                pixels,
                labels,
                spec,
                folder,
                indices=ids.tolist(),
                token=token,
                device=resolve_device(device),
            )
            finished = follow(job, token)
        cells = read_sweep(folder)
        say(f"Share misclassified, {len(ids)} {split} images, PGD-{steps}:", *_result_lines(cells, "success"))
        if any(cell.zero_gradient_fraction > 0 for cell in cells):
            say("Share of steps without a gradient:", *_result_lines(cells, "zero_gradient_fraction"))
        say(f"{finished.outcome}: {folder}")


def _choose_images(workspace: "Workspace", split: str, count: int) -> "NDArray[np.int64]":
    import numpy as np

    ids = workspace.image_ids(split=split)
    ids = ids[workspace.labels(ids) >= 0]
    if len(ids) == 0:
        raise SipError(f"The workspace {workspace.name} has no labelled {split} images: import some first.")
    # A fixed spread over the whole split, so that every class is in.
    chosen = np.random.default_rng(0).permutation(len(ids))[:count]
    return ids[np.sort(chosen)]


def _result_lines(cells: "list[CellResult]", figure: str) -> list[str]:
    """Return a table of one figure of the cells: a row per condition and batch size, a column per epsilon."""
    epsilons = sorted({cell.epsilon for cell in cells})
    rows: dict[str, dict[float, str]] = {}
    for cell in cells:
        condition = f"{cell.model}, {cell.loss}, {cell.reduction}, {cell.precision}, batch {cell.batch_size}"
        rows.setdefault(condition, {})[cell.epsilon] = f"{100 * getattr(cell, figure):.1f} %"
    lines = [[condition, *(row.get(epsilon, "") for epsilon in epsilons)] for condition, row in rows.items()]
    return table(["", *(f"ε {in_255ths(epsilon)}" for epsilon in epsilons)], lines)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,;\s]+", text) if word)


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in _words(text))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise SipError(f"“{text}” is no list of batch sizes: write for example 1,16,256.")
    return numbers
