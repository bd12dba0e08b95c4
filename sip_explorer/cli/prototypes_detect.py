"""``prototypes detect``: does a low likelihood give foreign images away?"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import Ball, DeviceOption, NormOption, ball, choose_images
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.prototypes_attack import check_above_zero, pgd
from sip_explorer.cli.prototypes_chosen import (
    FlowArgument,
    SeedOption,
    ends_in,
    flow_and_workspace,
    labelled,
)
from sip_explorer.cli.workspaces import WorkspaceOption, opened
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started

if TYPE_CHECKING:
    import torch

    from sip_explorer.protoflow import ProtoFlow

_PERTURBATION = 9  # what this noise is for, unlike the purposes of a flow
_PASS = 32
EPSILON = {"linf": "4/255", "l2": "0.25"}


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer prototypes detect flow.safetensors --against other-workspace --table "
        "roc.csv"
    )
    def detect(
        flow: FlowArgument,
        against: Annotated[
            str,
            typer.Option(
                help="attack: adversarial images; noise: as strong a noise; or the folder of a workspace "
                "with other images."
            ),
        ] = "attack",
        epsilon: Annotated[
            str | None, typer.Option(help=f"Of attack and noise; {EPSILON['linf']}, in L2 {EPSILON['l2']}.")
        ] = None,
        norm: NormOption = None,
        steps: Annotated[int, typer.Option(min=1, help="Steps of PGD.")] = 10,
        images: Annotated[int, typer.Option("--images", "-n", min=2, help="How many on each side.")] = 64,
        split: Annotated[str, typer.Option(help="Which images: test or train.")] = "test",
        seed: SeedOption = 0,
        table: Annotated[
            Path | None,
            typer.Option(dir_okay=False, callback=ends_in(".csv"), help="Write the ROC curve to this .csv."),
        ] = None,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Tell foreign images from the flow's own by their log-likelihood; ROC curve and its area."""
        from sip_explorer.protoflow.looking import detector, paradox
        from sip_explorer.protoflow.looking import table as write_table

        chosen = ball(None, norm, epsilon, EPSILON)
        if against in ("attack", "noise"):
            check_above_zero(chosen)
        token = CancelToken()
        with flow_and_workspace(flow, workspace, device) as (loaded, there):
            own, labels, ids = labelled(loaded, there, split, images, Path(flow).name)
        if against == "attack":
            foreign, words = (
                _attacked(loaded, own, labels, ids, chosen, steps, seed, token),
                "attacked images",
            )
        elif against == "noise":
            foreign, words = _noised(own, chosen.norm, chosen.radius, seed, ids), "images with noise"
        elif Path(against).is_dir():
            foreign, words = _others(loaded, Path(against), split, images), Path(against).name
        else:
            raise SipError(
                f"There is no {against} to tell apart; choose attack, noise or a workspace folder."
            )
        sides = [("own images", own), (words, foreign)]
        if against == "attack":  # does it tell the attack, or anything that was changed?
            sides.append(("images with noise", _noised(own, chosen.norm, chosen.radius, seed, ids)))
        found: list[torch.Tensor] = []
        done = follow(_likelihoods(loaded, sides, token), token, lambda made: found.extend(made.data))
        if done.outcome == "stopped":
            say(f"Stopped: of {len(own)} own images, the first {len(found[0])} count.")
        result = detector(found[0], found[1])
        mean = [float(part.mean()) for part in found]
        say(
            f"log p(x): own {split} images {mean[0]:.0f} nats, {words} {mean[1]:.0f} nats on average.",
            result.sentence,
        )
        if against == "attack":
            say(f"For comparison, as strong a noise: {detector(found[0], found[2]).sentence}")
        if against in ("attack", "noise"):
            say(
                "Both sides are the same images, without and with the change; the interval takes them for "
                "independent ones."
            )
        else:
            say(paradox(result, words))
        if table is not None:
            rows = zip(result.thresholds, result.false_alarms, result.detected, strict=True)
            write_table(table, ("log_likelihood_at_most", "false_alarms", "detected"), rows)
            say(f"table: {table}")


def _attacked(
    flow: "ProtoFlow",
    images: "torch.Tensor",
    labels: "torch.Tensor",
    ids: list[int],
    chosen: Ball,
    steps: int,
    seed: int,
    token: CancelToken,
) -> "torch.Tensor":
    from sip_explorer.protoflow.looking import Drift, drift

    found: list[Drift] = []
    job = drift(
        flow,
        images,
        labels,
        (chosen.radius,),
        attack=pgd(chosen.norm, steps, seed),
        indices=ids,
        token=token,
    )
    follow(job, token, lambda made: found.append(made.data) if made.kind == "drift" else None)
    last = found[0].steps[-1]
    if not last.epsilon:
        raise SipError("The attack did not come to its end, so there is nothing to tell apart; run it again.")
    return last.images


def _noised(images: "torch.Tensor", norm: str, epsilon: float, seed: int, ids: list[int]) -> "torch.Tensor":
    """Return 8-bit images with noise of the attack's size: random signs in L-inf, Gaussian in L2."""
    from sip_explorer.attacks import rounded_toward
    from sip_explorer.protoflow.noise import normal

    drawn = normal(tuple(images.shape[1:]), seed, _PERTURBATION, ids)
    length = drawn.flatten(1).norm(dim=1)[:, None, None, None]
    drawn = drawn.sign() if norm == "linf" else drawn / length
    return rounded_toward(images, (images + epsilon * drawn).clamp(0, 1)).float() / 255


def _others(flow: "ProtoFlow", folder: Path, split: str, count: int) -> "torch.Tensor":
    from sip_explorer.data.fitting import fit_images

    with opened(folder) as other:
        ids = choose_images(other, split, count)
        return fit_images(other.images(ids, size=flow.input_shape[1:]), flow.input_shape)


def _likelihoods(
    flow: "ProtoFlow", sides: "list[tuple[str, torch.Tensor]]", token: CancelToken
) -> Iterator[Event | None]:
    """Score all sides in step, so that a stop leaves as many images of each."""
    import torch

    counts = [len(images) for _, images in sides]
    total = sum(counts)
    yield Started(f"Scoring {', '.join(name for name, _ in sides)}", total)
    parts: list[list[torch.Tensor]] = [[] for _ in sides]
    done = 0
    for start in range(0, max(counts), _PASS):
        if token.stopping and start:
            break
        for kept, (name, images) in zip(parts, sides, strict=True):
            token.check()
            batch = images[start : start + _PASS]
            if len(batch):
                kept.append(flow.log_likelihood(batch).total.cpu())
                done += len(batch)
                yield Progress(done, total, name)
    yield Artefact("log-likelihoods", data=[torch.cat(kept) for kept in parts])
    yield Finished("completed" if done == total else "stopped")
