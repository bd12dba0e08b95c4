"""``sweep``: models × losses × precisions × step rules × epsilons × batch sizes, as in the Attack room."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.sweep_report import accuracy_lines, paired_lines, zero_gradient_lines
from sip_explorer.cli.workspaces import WorkspaceOption, classifier_entry, opened
from sip_explorer.records import CancelToken, SipError
from sip_explorer.records.epsilon import parse_epsilons

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.records.sweeps import CellResult
    from sip_explorer.workspace import Workspace


DEFAULT_EPSILONS = "0, 2/255, 4/255, 8/255"


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
            str | None,
            typer.Option(help=f"A list, each as n/255 or as a fraction; by default {DEFAULT_EPSILONS}."),
        ] = None,
        batch_sizes: Annotated[str, typer.Option(help="Logical batch sizes, a list.")] = "1",
        losses: Annotated[
            str | None, typer.Option(help="A list: log-odds (the default), ce, margin, dlr, …")
        ] = None,
        reductions: Annotated[str | None, typer.Option(help="A list: sum (the default), mean.")] = None,
        precisions: Annotated[str, typer.Option(help="A list: float32, bfloat16, float16.")] = "float32",
        step_rules: Annotated[
            str | None,
            typer.Option(
                help="A list: sign (the default in L∞), normalised (in L2), raw, normalised:add:1e-10, "
                "normalised:floor:1e-6."
            ),
        ] = None,
        restarts: Annotated[str, typer.Option(help="How many random starts, a list.")] = "1",
        norm: Annotated[str | None, typer.Option(help="linf (the default) or l2.")] = None,
        threat_model: Annotated[
            str | None,
            typer.Option(help="Norm and epsilon by a usual name: linf-8/255, l2-0.5, linf-0.1."),
        ] = None,
        preset: Annotated[
            str | None,
            typer.Option(
                help="degraded: cross-entropy with its mean and, in L2, a guarded norm, whose strength "
                "depends on the batch size."
            ),
        ] = None,
        steps: Annotated[int, typer.Option(min=1, help="Steps of PGD.")] = 10,
        images: Annotated[int, typer.Option("--images", "-n", min=1, help="How many images.")] = 256,
        split: Annotated[str, typer.Option(help="Which images: test or train.")] = "test",
        seed: Annotated[int, typer.Option(min=0, help="Seed of the random starts.")] = 0,
        device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:n.")] = "auto",
        micro_batch: Annotated[
            int, typer.Option(min=1, help="Images at once; halved where memory does not suffice.")
        ] = 64,
        execution: Annotated[
            str, typer.Option(help="vectorised: batch sizes as weights; literal: really formed.")
        ] = "vectorised",
        table: Annotated[
            Path | None,
            typer.Option(help="Write the cells to this .csv, and paired tests to NAME-paired.csv."),
        ] = None,
        out: Annotated[
            Path | None,
            typer.Option(help="Sweep folder; by default a new one in the workspace. Goes on where it is."),
        ] = None,
    ) -> None:
        """Attack models under every combination of the lists, and print robust accuracies."""
        import torch

        from sip_explorer.attacks import SweepSpec
        from sip_explorer.attacks import sweep as sweep_job
        from sip_explorer.data.fitting import fit_images, fit_labels
        from sip_explorer.models import load_checkpoint
        from sip_explorer.records.sweeps import read_sweep
        from sip_explorer.training.environment import resolve_device

        ball_norm, radii = _ball(threat_model, norm, epsilons)
        usual = _preset(preset, ball_norm)
        spec = SweepSpec(
            epsilons=radii,
            batch_sizes=_whole_numbers(batch_sizes, "batch sizes: write for example 1,16,256"),
            losses=cast("Any", _words(losses or usual["losses"])),
            reductions=cast("Any", _words(reductions or usual["reductions"])),
            precisions=cast("Any", _words(precisions)),
            step_rules=_words(step_rules or usual["step_rules"]),
            restarts=_whole_numbers(restarts, "restarts: write for example 1,5"),
            norm=cast("Any", ball_norm),
            steps=steps,
            seed=seed,
            zero_gradient="stay",  # the same rule for all: no gradient, no step
            micro_batch=micro_batch,
            execution=cast("Any", execution),
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
        ball = "L∞" if spec.norm == "linf" else "L2"
        say(
            f"Robust accuracy (95 % interval), {len(ids)} {split} images, PGD-{steps}, {ball}:",
            *accuracy_lines(cells),
        )
        if any(cell.zero_gradient_fraction > 0 for cell in cells):
            say("Share of steps without a gradient:", *zero_gradient_lines(cells))
        say(*paired_lines(cells))
        if table is not None:
            _write_tables(table, cells, spec.common())
        say(f"{finished.outcome}: {folder}")


def _ball(threat_model: str | None, norm: str | None, epsilons: str | None) -> tuple[str, tuple[float, ...]]:
    if threat_model is None:
        try:
            return norm or "linf", parse_epsilons(epsilons or DEFAULT_EPSILONS)
        except ValueError as error:
            raise SipError(str(error)) from None
    from sip_explorer.attacks.settings import threat_models

    if norm is not None or epsilons is not None:
        raise SipError("--threat-model says norm and epsilon: leave out --norm and --epsilons, or it.")
    known = threat_models()
    if threat_model not in known:
        raise SipError(f"The threat model {threat_model} is unknown; choose one of {', '.join(known)}.")
    chosen = known[threat_model]
    return chosen.norm, (chosen.epsilon,)


def _preset(name: str | None, norm: str) -> dict[str, str]:
    """Return what the lists are where they are not given."""
    rule = "normalised" if norm == "l2" else "sign"
    if name is None:
        return {"losses": "log-odds", "reductions": "sum", "step_rules": rule}
    if name != "degraded":
        raise SipError(f"The preset {name} is unknown; the only one is degraded.")
    guarded = "normalised:add:1e-10" if norm == "l2" else rule
    return {"losses": "ce", "reductions": "mean", "step_rules": guarded}


def _write_tables(path: Path, cells: "list[CellResult]", settings: dict[str, Any]) -> None:
    from sip_explorer.records.sweep_table import paired_rows, write_paired_table, write_table

    written = [path]
    try:
        write_table(path, cells, settings)
        if paired_rows(cells):
            written.append(path.with_name(f"{path.stem}-paired{path.suffix}"))
            write_paired_table(written[1], cells)
    except OSError as error:
        raise SipError(
            f"The table {written[-1]} cannot be written ({error.strerror}): choose another place; nothing of "
            "the sweep is lost."
        ) from error
    say(*(f"table: {name}" for name in written))


def _choose_images(workspace: "Workspace", split: str, count: int) -> "NDArray[np.int64]":
    import numpy as np

    ids = workspace.image_ids(split=split)
    ids = ids[workspace.labels(ids) >= 0]
    if len(ids) == 0:
        raise SipError(f"The workspace {workspace.name} has no labelled {split} images: import some first.")
    # A fixed spread over the whole split, so that every class is in.
    chosen = np.random.default_rng(0).permutation(len(ids))[:count]
    return ids[np.sort(chosen)]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,;\s]+", text) if word)


def _whole_numbers(text: str, what: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in _words(text))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise SipError(f"“{text}” is no list of {what}.")
    return numbers
