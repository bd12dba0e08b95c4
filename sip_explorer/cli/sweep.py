"""``sweep``: models × losses × precisions × step rules × epsilons × batch sizes, as in the Attack room."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from sip_explorer.cli.attacked import (
    DeviceOption,
    MicroBatchOption,
    ModelsOption,
    NormOption,
    ThreatModelOption,
    attacked,
    ball,
    choose_images,
    load_models,
    results_folder,
    whole_numbers,
    words_of,
    write_tables,
)
from sip_explorer.cli.figures import Figures
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.workspaces import WorkspaceOption, opened
from sip_explorer.records import CancelToken, SipError

EPSILONS = {"linf": "0, 2/255, 4/255, 8/255", "l2": "0, 0.1, 0.25, 0.5"}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Example: sip-explorer sweep --model standard --model sip-at --epsilons 0,2/255,8/255 "
        "--batch-sizes 1,16,256 --losses ce,log-odds --reductions mean"
    )
    def sweep(
        model: ModelsOption,
        workspace: WorkspaceOption = None,
        epsilons: Annotated[
            str | None,
            typer.Option(
                help=f"A list, each as n/255 or as a fraction; by default {EPSILONS['linf']}, in L2 "
                f"{EPSILONS['l2']}."
            ),
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
        norm: NormOption = None,
        threat_model: ThreatModelOption = None,
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
        device: DeviceOption = "auto",
        micro_batch: MicroBatchOption = None,
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
        from sip_explorer.attacks import SweepSpec
        from sip_explorer.attacks import sweep as sweep_job
        from sip_explorer.records.sweeps import read_sweep

        chosen = ball(threat_model, norm, epsilons, EPSILONS)
        usual = _preset(preset, chosen.norm)
        spec = SweepSpec(
            epsilons=chosen.epsilons,
            batch_sizes=whole_numbers(batch_sizes, "batch sizes: write for example 1,16,256"),
            losses=cast("Any", words_of(losses or usual["losses"])),
            reductions=cast("Any", words_of(reductions or usual["reductions"])),
            precisions=cast("Any", words_of(precisions)),
            step_rules=words_of(step_rules or usual["step_rules"]),
            restarts=whole_numbers(restarts, "restarts: write for example 1,5"),
            norm=chosen.norm,
            steps=steps,
            seed=seed,
            zero_gradient="stay",  # the same rule for all: no gradient, no step
            execution=cast("Any", execution),
        )
        token = CancelToken()
        with opened(workspace) as open_workspace:
            ids = choose_images(open_workspace, split, images)
            subject = attacked(open_workspace, load_models(open_workspace, model), ids, device)
            spec = replace(spec, micro_batch=subject.pace(micro_batch, out=out).micro_batch)
            with results_folder(out, lambda: open_workspace.new_sweep_folder("sweep")) as folder:
                job = sweep_job(
                    subject.models,
                    subject.images,
                    subject.labels,
                    spec,
                    folder,
                    indices=ids.tolist(),
                    token=token,
                    device=subject.device,
                )
                finished = follow(job, token)
                cells = read_sweep(folder)
        if not cells:
            say(f"{finished.outcome} before the first figure was there")
            return
        figures = Figures(cells, spec.norm)
        say(
            f"Robust accuracy (95 % interval), {len(ids)} {split} images, PGD-{steps}, {chosen.words}:",
            *figures.accuracies(),
            *figures.zero_gradients(),
            *figures.paired(),
            f"{finished.outcome}: {folder}",
        )
        if table is not None:
            write_tables(table, cells, spec.common())


def _preset(name: str | None, norm: str) -> dict[str, str]:
    """Return what the lists are where they are not given."""
    rule = "normalised" if norm == "l2" else "sign"
    if name is None:
        return {"losses": "log-odds", "reductions": "sum", "step_rules": rule}
    if name != "degraded":
        raise SipError(f"The preset {name} is unknown; the only one is degraded.")
    guarded = "normalised:add:1e-10" if norm == "l2" else rule
    return {"losses": "ce", "reductions": "mean", "step_rules": guarded}
