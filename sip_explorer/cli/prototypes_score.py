"""``prototypes score``: how well a flow classifies and compresses images, in every convention."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.prototypes_chosen import FlowArgument, SeedOption, labelled, load_flow
from sip_explorer.cli.workspaces import WorkspaceOption, opened
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.protoflow import ProtoFlow
    from sip_explorer.training.augmentation import Augmentation
    from sip_explorer.training.protoflow_score import ProtoFlowScore

_PASS = 100


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer prototypes score flow.safetensors --data fashion.h5 --draws 5"
    )
    def score(
        flow: FlowArgument,
        data: Annotated[
            Path | None,
            typer.Option(help="Packed images (.h5), their test split; by default the workspace's."),
        ] = None,
        images: Annotated[
            int, typer.Option("--images", "-n", min=0, help="At most so many test images; 0: all.")
        ] = 0,
        draws: Annotated[
            int, typer.Option(min=1, max=1000, help="Draws of the dequantisation noise for each image.")
        ] = 1,
        views: Annotated[
            int,
            typer.Option(
                min=1,
                max=1000,
                help="Views of each image that its class is asked of: itself, and moved ones.",
            ),
        ] = 1,
        shift: Annotated[
            int,
            typer.Option(min=0, max=512, help="How far the other views are shifted at random, in pixels."),
        ] = 1,
        flip: Annotated[bool, typer.Option("--flip", help="Mirror the other views at random.")] = False,
        seed: SeedOption = 0,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Print accuracy, calibration and bits/dim of a flow on labelled test images."""
        from sip_explorer.training.augmentation import Augmentation

        moved = Augmentation(flip=flip, crop_padding=shift, seed=seed, outside="edge")
        if views > 1 and moved.none:
            raise SipError("The other views would be the image itself; name a --shift above 0, or --flip.")
        loaded = load_flow(flow, workspace, device)
        pixels, labels, name = _images(data, workspace, loaded, images, Path(flow).name)
        token, made = CancelToken(), []
        finished = follow(
            _score_job(loaded, pixels, labels, draws, views, moved, seed, token),
            token,
            lambda found: made.append(found.data),
        )
        if finished.outcome == "stopped":
            say(f"Stopped: the figures are of the first {made[-1].images:,} of {len(pixels):,} test images.")
        say(*lines(made[-1], name, loaded))


def lines(found: "ProtoFlowScore", name: str, flow: "ProtoFlow") -> list[str]:
    """Return a score as lines of text; each figure says what it is of."""
    draws = f"{found.draws} draws" if found.draws > 1 else "1 draw"
    views = f", {found.views} views for accuracy and calibration" if found.views > 1 else ""
    parts = ", ".join(f"{part}: {value:.3f}" for part, value in found.parts.items())
    over = "draws and views" if found.views > 1 else "draws"
    used = sum(share > 0 for row in found.usage for share in row)
    bits = f"{found.bits_per_dimension:.3f} (largest class: {found.bits_per_dimension_best_class:.3f})"
    weighted = (
        f"{found.importance_bits_per_dimension:.3f} "
        f"(largest class: {found.importance_bits_per_dimension_best_class:.3f})"
    )
    alone = ", without views" if found.views > 1 else ""
    millions = sum(parameter.numel() for parameter in flow.parameters()) / 1e6
    return [
        f"{name}: {found.images:,} test images, {draws} of the dequantisation noise each{views}, "
        f"{millions:.2f} million parameters",
        f"accuracy {100 * found.accuracy:.2f} % (log-likelihoods averaged over the {over}), "
        f"{100 * found.importance_accuracy:.2f} % (importance-weighted{alone})",
        f"bits/dim {bits}, importance-weighted {weighted}",
        f"bits/dim given the own class {found.class_bits_per_dimension:.3f}",
        f"made of: {parts}",
        f"expected calibration error {found.calibration_error:.3f} (15 bins)",
        f"prototypes that are the nearest to some image: {used} of {int(flow.mixture.active.sum())}",
    ]


def _images(
    data: Path | None, workspace: Path | None, flow: "ProtoFlow", count: int, called: str
) -> "tuple[NDArray[np.uint8], NDArray[np.int64], str]":
    import numpy as np
    import torch

    from sip_explorer.data import PackedImages
    from sip_explorer.data.fitting import fit_labels

    if data is None:
        with opened(workspace) as there:
            images, labels, _ = labelled(flow, there, "test", count or len(there.image_ids()), called)
            pixels = (255 * images).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
            return pixels, labels.numpy(), there.name
    with PackedImages.open(data) as packed:
        ids = np.flatnonzero((packed.split == "test") & (packed.labels >= 0))
        ids = ids[:count] if count else ids
        if not len(ids):
            raise SipError(f"{data} holds no labelled test images to score; choose other images.")
        labels_there = fit_labels(packed.labels[ids], packed.classes, flow.classes, called)
        return _fitted(packed.read(ids), flow.input_shape), labels_there, packed.name


def _fitted(images: "NDArray[np.uint8]", shape: tuple[int, int, int]) -> "NDArray[np.uint8]":
    """Return images (N, H, W, C) in the size and the colours that the flow takes."""
    import numpy as np

    from sip_explorer.data.fitting import fit_images
    from sip_explorer.protoflow.looking import to_pixels

    if images.shape[1:] == (*shape[1:], shape[0]):
        return images
    parts = [images[start : start + _PASS] for start in range(0, len(images), _PASS)]
    return np.concatenate([to_pixels(fit_images(part, shape)) for part in parts])


def _score_job(
    flow: "ProtoFlow",
    pixels: "NDArray[np.uint8]",
    labels: "NDArray[np.int64]",
    draws: int,
    views: int,
    moved: "Augmentation",
    seed: int,
    token: CancelToken,
) -> Iterator[Event | None]:
    from sip_explorer.training.protoflow_score import score_protoflow

    yield Started("Scoring", len(pixels))
    scoring = score_protoflow(
        flow,
        pixels,
        labels,
        micro_batch=_PASS,
        seed=seed,
        draws=draws,
        views=views,
        augmentation=moved,
        token=token,
        partly=True,
    )
    done = 0
    while True:
        try:
            yield next(scoring)
        except StopIteration as end:
            yield Artefact("score", data=end.value)
            yield Finished("completed" if end.value.images == len(pixels) else "stopped")
            return
        done += 1
        yield Progress(min(done * _PASS, len(pixels)), len(pixels), "images")
