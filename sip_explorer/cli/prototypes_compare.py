"""``prototypes compare``: two flows, or two prototypes of one, side by side."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say, table
from sip_explorer.cli.prototypes_chosen import (
    FlowArgument,
    end_at_a_stop,
    ends_in,
    flow_and_workspace,
    labelled,
    load_flow,
)
from sip_explorer.cli.workspaces import WorkspaceOption
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started

if TYPE_CHECKING:
    import torch

    from sip_explorer.protoflow import ProtoFlow


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer prototypes compare first.safetensors second.safetensors -n 500"
    )
    def compare(
        flow: FlowArgument,
        other: FlowArgument,
        images: Annotated[int, typer.Option("--images", "-n", min=1, help="How many images.")] = 200,
        split: Annotated[str, typer.Option(help="Which images: test or train.")] = "test",
        out: Annotated[
            Path,
            typer.Option(
                dir_okay=False,
                callback=ends_in(".png"),
                help="PNG to write: each class's prototypes in both.",
            ),
        ] = Path("compared.png"),
        table_: Annotated[
            Path | None,
            typer.Option(
                "--table",
                dir_okay=False,
                callback=ends_in(".csv"),
                help="Write both flows' answers per image to this .csv.",
            ),
        ] = None,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Compare two flows: prototypes side by side, accuracy, bits/dim, and where they disagree."""
        from sip_explorer.protoflow.looking import table as write_table

        with flow_and_workspace(flow, workspace, device) as (first, there):
            second = load_flow(other, workspace, device)
            if set(first.classes) != set(second.classes):
                raise SipError(
                    f"{Path(flow).name} and {Path(other).name} know other classes; "
                    "compare flows of one data set."
                )
            loaded = {"A": first, "B": second}
            sides = {
                side: labelled(entry, there, split, images, Path(name).name)
                for (side, entry), name in zip(loaded.items(), (flow, other), strict=True)
            }
        token = CancelToken()
        answers: list[_Answers] = []
        for side, entry in loaded.items():
            job = _answers(entry, sides[side][0], f"flow {side}", token)
            follow(job, token, lambda made: answers.append(made.data))
        rows, right = [], []
        for side, given, name in zip(loaded, answers, (flow, other), strict=True):
            names = [loaded[side].classes[label] for label in given[0].tolist()]
            truth = [loaded[side].classes[label] for label in sides[side][1].tolist()]
            right.append([found == true for found, true in zip(names, truth, strict=True)])
            rows.append(
                [
                    f"{side}: {Path(name).name}",
                    f"{100 * sum(right[-1]) / len(truth):.1f} %",
                    f"{float(given[1].mean()):.3f}",
                    f"{float(given[2].mean()):.3f}",
                    str(loaded[side].components),
                    f"{sum(p.numel() for p in loaded[side].parameters()):,}",
                ]
            )
        count = len(right[0])
        head = ["flow", "accuracy", "bits/dim", "bits/dim, best class", "prototypes per class", "parameters"]
        say(
            f"{count} {split} images:",
            *table(head, rows),
            f"Both right {sum(map(all, zip(*right, strict=True)))}, only A "
            f"{sum(a and not b for a, b in zip(*right, strict=True))}, only B "
            f"{sum(b and not a for a, b in zip(*right, strict=True))}, both wrong "
            f"{sum(not a and not b for a, b in zip(*right, strict=True))}.",
        )
        _picture(first, second, out)
        say(f"{out}: A {Path(flow).name}, B {Path(other).name}.")
        if table_ is not None:
            write_table(
                table_,
                ("image", "label", "class_a", "class_b", "bits_per_dimension_a", "bits_per_dimension_b"),
                [
                    (
                        number,
                        first.classes[int(sides["A"][1][row])],
                        first.classes[int(answers[0][0][row])],
                        second.classes[int(answers[1][0][row])],
                        f"{float(answers[0][1][row]):.6g}",
                        f"{float(answers[1][1][row]):.6g}",
                    )
                    for row, number in enumerate(sides["A"][2])
                ],
            )
            say(f"table: {table_}")


_Answers = tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]


def _answers(
    flow: "ProtoFlow", images: "torch.Tensor", name: str, token: CancelToken
) -> Iterator[Event | None]:
    import torch

    yield Started(f"Asking {name}", len(images))
    parts = []
    for start in range(0, len(images), 32):
        end_at_a_stop(token)  # one flow's answers alone compare nothing
        found = flow.log_likelihood(images[start : start + 32])
        parts.append(
            (found.per_class.argmax(1), found.bits_per_dimension, found.bits_per_dimension_best_class)
        )
        yield Progress(min(start + 32, len(images)), len(images), name)
    yield Artefact("answers", data=tuple(torch.cat(column).cpu() for column in zip(*parts, strict=True)))
    yield Finished()


def _picture(first: "ProtoFlow", second: "ProtoFlow", out: Path) -> None:
    from sip_explorer.protoflow.looking import Strip, sheet, to_pixels

    strips = []
    means = to_pixels(first.decode_means()), to_pixels(second.decode_means())
    for label, name in enumerate(first.classes):
        strips.append(Strip(f"{name} A", means[0][label]))
        strips.append(Strip(f"{name} B", means[1][second.classes.index(name)]))
    sheet(out, strips, title="Decoded prototypes of A and B")
