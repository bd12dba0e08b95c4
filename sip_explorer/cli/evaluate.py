"""``evaluate``: how robust models are by standard attacks, and whether such figures can be believed."""

from pathlib import Path
from typing import Annotated

import typer

from sip_explorer.cli.attacked import (
    DeviceOption,
    MicroBatchOption,
    ModelsOption,
    NormOption,
    ThreatModelOption,
    ball,
)
from sip_explorer.cli.evaluate_attacks import evaluate_attacks
from sip_explorer.cli.evaluate_health import evaluate_health
from sip_explorer.cli.evaluate_judge import evaluate_judge
from sip_explorer.cli.evaluate_order import EvaluationOrder
from sip_explorer.cli.evaluate_transfer import evaluate_transfer
from sip_explorer.cli.workspaces import WorkspaceOption, opened
from sip_explorer.records import SipError

EPSILONS = {"linf": "8/255", "l2": "0.5"}

_MODES = {
    "--transfer": "tries the examples of each model on every other",
    "--health": "examines each model and keeps nothing",
    "--judge": "judges the images of a file and attacks nothing",
}
_ONLY_ATTACKS = ("--keep-images", "--png", "--regions", "--salience")
_FOREIGN = {
    "--transfer": ("--batch-size", *_ONLY_ATTACKS),
    "--health": ("--attacks", "--batch-size", "--out", "--table", *_ONLY_ATTACKS),
    "--judge": ("--attacks", "--seed", "--batch-size", "--out", "--table", *_ONLY_ATTACKS),
}
"""Options that mean nothing in a mode."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Example: sip-explorer evaluate --model standard --model sip-at --attacks apgd-ce+t,pgd "
        "--threat-model linf-0.1 --table robust.csv"
    )
    def evaluate(
        model: ModelsOption,
        workspace: WorkspaceOption = None,
        attacks: Annotated[
            str | None,
            typer.Option(
                help="A list: pgd, apgd, apgd-ce+t (the default), autoattack (the judge, all four attacks of "
                "its authors; takes long). For --transfer one, by default pgd, which climbs on after an "
                "image is broken."
            ),
        ] = None,
        epsilons: Annotated[
            str | None,
            typer.Option(
                help=f"A list, each as n/255 or as a fraction; by default {EPSILONS['linf']}, in L2 "
                f"{EPSILONS['l2']}."
            ),
        ] = None,
        norm: NormOption = None,
        threat_model: ThreatModelOption = None,
        images: Annotated[
            int | None,
            typer.Option(
                "--images",
                "-n",
                min=1,
                help="How many images; by default 500, for --health 50, for --judge those of the file.",
            ),
        ] = None,
        split: Annotated[str | None, typer.Option(help="Which images: test (the default) or train.")] = None,
        seed: Annotated[
            int | None, typer.Option(min=0, help="Of all random numbers; 0 if not given.")
        ] = None,
        device: DeviceOption = "auto",
        micro_batch: MicroBatchOption = None,
        batch_size: Annotated[
            int | None,
            typer.Option(
                min=1,
                help="AutoAttack's images at once, part of its result's identity; by default so few that a "
                "cancel is heard within a second, at most 250.",
            ),
        ] = None,
        out: Annotated[
            Path | None,
            typer.Option(
                help="A .csv for the figures, as --table; or their folder, by default a new one in the "
                "workspace. Goes on there."
            ),
        ] = None,
        table: Annotated[
            Path | None,
            typer.Option(
                help="Write the figures to this .csv, paired tests to NAME-paired.csv, and mean and standard "
                "deviation over seeds to NAME-seeds.csv."
            ),
        ] = None,
        keep_images: Annotated[
            bool, typer.Option("--keep-images", help="Keep the adversarial images beside the figures.")
        ] = False,
        png: Annotated[
            Path | None,
            typer.Option(
                help="Write the adversarial images into this folder as 8-bit PNG, keep them, and say how "
                "many still succeed."
            ),
        ] = None,
        regions: Annotated[
            str | None,
            typer.Option(
                help="Where pixels may be moved, a list: everywhere (the default), salient, background. The "
                "last two are of the images that have both."
            ),
        ] = None,
        salience: Annotated[
            str | None,
            typer.Option(
                help="What the regions are made from: segmentation (object masks of the data, the default "
                "where there are some), painted or painted:NAME, a run of the workspace or its salience.h5."
            ),
        ] = None,
        transfer: Annotated[
            bool, typer.Option("--transfer", help="Try the adversarial images of each model on each other.")
        ] = False,
        health: Annotated[
            bool, typer.Option("--health", help="Look for what makes attacks on a model unreliable.")
        ] = False,
        judge: Annotated[
            Path | None,
            typer.Option(
                metavar="FILE",
                help="Judge adversarial images made elsewhere: .npy, .npz, .pt or HDF5, in the order of the "
                "chosen images, or with their ids.",
            ),
        ] = None,
    ) -> None:
        """Measure how robust models are by standard attacks, and print it with its intervals."""
        given = {
            "--attacks": attacks is not None,
            "--seed": seed is not None,
            "--batch-size": batch_size is not None,
            "--out": out is not None,
            "--table": table is not None,
            "--keep-images": keep_images,
            "--png": png is not None,
            "--regions": regions is not None,
            "--salience": salience is not None,
        }
        modes = {"--transfer": transfer, "--health": health, "--judge": judge is not None}
        mode = _mode([name for name, wanted in modes.items() if wanted], given)
        if out is not None and out.suffix.lower() == ".csv":
            if table is not None:
                raise SipError(
                    f"--out {out} and --table both name a table: give one, or a folder with --out."
                )
            out, table = None, out
        order = EvaluationOrder(
            models=model,
            ball=ball(threat_model, norm, epsilons, EPSILONS),
            attacks=attacks,
            images=images,
            split=split,
            seed=seed or 0,
            device=device,
            micro_batch=micro_batch,
            batch_size=batch_size,
            out=out,
            table=table,
            keep_images=keep_images,
            png=png,
            regions=regions,
            salience=salience,
        )
        with opened(workspace) as open_workspace:
            if judge is not None:
                evaluate_judge(open_workspace, order, judge)
            elif mode == "--health":
                evaluate_health(open_workspace, order)
            elif mode == "--transfer":
                evaluate_transfer(open_workspace, order)
            else:
                evaluate_attacks(open_workspace, order)


def _mode(modes: list[str], given: dict[str, bool]) -> str | None:
    """Return the one mode, if any; SipError where there are two, or an option that means nothing in it."""
    if len(modes) > 1:
        raise SipError(f"{' and '.join(modes)} are different work: choose one of them.")
    for mode in modes:
        strange = [option for option in _FOREIGN[mode] if given[option]]
        if strange:
            raise SipError(f"{mode} {_MODES[mode]}, so {strange[0]} means nothing: leave it out.")
    return modes[0] if modes else None
