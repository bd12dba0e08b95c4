"""``prototypes attack``: PGD on a ProtoFlow, and the prototypes that images drift to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from sip_explorer.cli.attacked import Ball, DeviceOption, NormOption, ball
from sip_explorer.cli.progress import follow, say, table
from sip_explorer.cli.prototypes_chosen import (
    FlowArgument,
    SeedOption,
    ends_in,
    flow_and_workspace,
    labelled,
)
from sip_explorer.cli.workspaces import WorkspaceOption
from sip_explorer.records import CancelToken, SipError

if TYPE_CHECKING:
    from sip_explorer.attacks import PGD
    from sip_explorer.protoflow import ProtoFlow
    from sip_explorer.protoflow.looking import Drift

EPSILONS = {"linf": "1/255, 2/255, 4/255, 8/255", "l2": "0.1, 0.25, 0.5"}


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer prototypes attack flow.safetensors --epsilons 1/255,4/255 --images 32"
    )
    def attack(
        flow: FlowArgument,
        epsilons: Annotated[
            str | None,
            typer.Option(help=f"A list; by default {EPSILONS['linf']}, in L2 {EPSILONS['l2']}."),
        ] = None,
        norm: NormOption = None,
        steps: Annotated[int, typer.Option(min=1, help="Steps of PGD.")] = 10,
        draws: Annotated[
            int, typer.Option(min=1, help="Dequantisation noises that scores are averaged over.")
        ] = 1,
        path: Annotated[
            str, typer.Option(help="latent: without the log-determinant; image: through all of it.")
        ] = "latent",
        images: Annotated[int, typer.Option("--images", "-n", min=1, help="How many images.")] = 64,
        split: Annotated[str, typer.Option(help="Which images: test or train.")] = "test",
        seed: SeedOption = 0,
        out: Annotated[
            Path,
            typer.Option(
                dir_okay=False, callback=ends_in(".png"), help="PNG to write: the first images along epsilon."
            ),
        ] = Path("drift.png"),
        table_: Annotated[
            Path | None,
            typer.Option(
                "--table",
                dir_okay=False,
                callback=ends_in(".csv"),
                help="Write every image at every epsilon to this .csv.",
            ),
        ] = None,
        adversarial: Annotated[
            Path | None,
            typer.Option(dir_okay=False, help="Write the images of the largest epsilon to this .h5 or .npy."),
        ] = None,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Attack a flow, and see which prototypes the images drift to and what becomes of log p(x)."""
        from sip_explorer.protoflow.looking import Drift, detector, drift
        from sip_explorer.records.adversarial import checked_ending
        from sip_explorer.records.epsilon import in_255ths

        chosen = ball(None, norm, epsilons, EPSILONS)
        check_above_zero(chosen)
        if adversarial is not None:
            checked_ending(adversarial)  # before the work, not after it
        with flow_and_workspace(flow, workspace, device) as (loaded, there):
            batch, labels, ids = labelled(loaded, there, split, images, Path(flow).name)
        token = CancelToken()
        found: list[Drift] = []
        job = drift(
            loaded,
            batch,
            labels,
            chosen.epsilons,
            attack=pgd(chosen.norm, steps, seed),
            path=cast("Any", path),
            draws=draws,
            indices=ids,
            token=token,
        )
        follow(job, token, lambda made: found.append(made.data) if made.kind == "drift" else None)
        (result,) = found
        rows = []
        clean = result.steps[0]
        for step in result.steps:
            told = detector(clean.log_likelihood, step.log_likelihood).auroc if step.epsilon else 0.5
            rows.append(
                [
                    in_255ths(step.epsilon) if chosen.norm == "linf" else f"{step.epsilon:g}",
                    f"{100 * float((~step.success).double().mean()):.1f} %",
                    f"{float(step.log_likelihood.mean()):.0f}",
                    f"{told:.3f}" if step.epsilon else "",
                ]
            )
        say(
            f"{len(ids)} {split} images, PGD-{steps}, {chosen.words}, as 8-bit pictures:",
            *table(["epsilon", "accuracy", "log p(x), nats", "AUROC of a low log p(x)"], rows),
            *(result.sentence(loaded, row) for row in range(1, len(result.steps))),
        )
        _picture(loaded, result, [row[0] for row in rows], out)
        say(f"{out}: the first images along epsilon.")
        if table_ is not None:
            _table(loaded, result, ids, table_)
            say(f"table: {table_}")
        if adversarial is not None:
            _keep(loaded, result, ids, adversarial, flow, steps, chosen.norm)
            say(f"adversarial images: {adversarial}")


def check_above_zero(chosen: Ball) -> None:
    """Raise SipError where no epsilon is above 0, so that nothing would be changed."""
    if not any(chosen.epsilons):
        raise SipError("No epsilon above 0 is named, so no image would be changed; name one, such as 4/255.")


def pgd(norm: str, steps: int, seed: int) -> "PGD":
    """Return PGD on the log-odds in a norm, 32 images at once."""
    from sip_explorer.attacks import PGD

    if norm == "l2":
        return PGD(norm="l2", step="normalised", steps=steps, seed=seed, micro_batch=32)
    return PGD(steps=steps, seed=seed, micro_batch=32)


def _picture(flow: "ProtoFlow", result: "Drift", words: list[str], out: Path) -> None:
    from sip_explorer.protoflow.looking import Strip, prototype_name, sheet, to_pixels

    strips = []
    for row in range(min(12, len(result.labels))):
        notes = tuple(
            f"{prototype_name(flow, int(step.predicted[row]), int(step.component[row]))}\n"
            f"{float(step.log_likelihood[row]):.0f} nats"
            for step in result.steps
        )
        pictures = [to_pixels(step.images[row]) for step in result.steps]
        strips.append(Strip(flow.classes[int(result.labels[row])], pictures, notes))
    radii = ", ".join(words)
    sheet(out, strips, title=f"Epsilon {radii}: nearest prototype, log p(x)")


def _table(flow: "ProtoFlow", result: "Drift", ids: list[int], path: Path) -> None:
    from sip_explorer.protoflow.looking import table as write_table

    head = ("image", "label", "epsilon", "class", "prototype", "success", "log_likelihood")
    rows = [
        (
            ids[row],
            flow.classes[int(result.labels[row])],
            f"{step.epsilon:.6g}",
            flow.classes[int(step.predicted[row])],
            int(step.component[row]) + 1,
            int(step.success[row]),
            f"{float(step.log_likelihood[row]):.6g}",
        )
        for row in range(len(ids))
        for step in result.steps
    ]
    write_table(path, head, rows)


def _keep(
    flow: "ProtoFlow", result: "Drift", ids: list[int], path: Path, name: str, steps: int, norm: str
) -> None:
    import numpy as np

    from sip_explorer.records.adversarial import AdversarialImages, described_origin, write_adversarial

    last = result.steps[-1]
    if not last.epsilon:
        raise SipError("No epsilon was attacked to its end, so there is no image to keep; run it again.")
    origin = described_origin(
        model=Path(name).name, attack=f"PGD-{steps} on a ProtoFlow", epsilon=last.epsilon, norm=norm
    )
    images = AdversarialImages(last.images.numpy(), result.labels.numpy(), np.asarray(ids, np.int64), origin)
    write_adversarial(path, images)
