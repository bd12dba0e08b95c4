"""The flow, the prototypes and the images that a ``prototypes`` command is about."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.progress import follow
from sip_explorer.cli.workspaces import opened
from sip_explorer.records import Cancelled, CancelToken, SipError

if TYPE_CHECKING:
    import torch

    from sip_explorer.protoflow import ProtoFlow, Prototype
    from sip_explorer.protoflow.looking import LatentIndex
    from sip_explorer.workspace import Workspace

FlowArgument = Annotated[
    str, typer.Argument(help="The ProtoFlow: a checkpoint, or the name of one in the workspace.")
]
PrototypeWords = "CLASS:NUMBER, such as Sneaker:2, as the window counts them"
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed draws the same.")]


def ends_in(*endings: str) -> Callable[[Path | None], Path | None]:
    """Return what refuses an option's file of another ending before the work; the first is proposed."""

    def checked(path: Path | None) -> Path | None:
        if path is not None and path.suffix.lower() not in endings:
            raise typer.BadParameter(f"{path} has another ending: choose a name that ends in {endings[0]}.")
        return path

    return checked


def end_at_a_stop(token: CancelToken) -> None:
    """Raise `Cancelled` where the work is to end in any way: for work whose half is of no use."""
    token.check()
    if token.stopping:
        raise Cancelled


@dataclass(frozen=True)
class Shown:
    """Images of a command as a flow takes them.

    ``images`` float32 (N, C, H, W) in [0, 1]; ``labels`` among the flow's classes, -1 where unknown;
    ``names`` for people.
    """

    images: "torch.Tensor"
    labels: tuple[int, ...]
    names: tuple[str, ...]


@contextmanager
def flow_and_workspace(
    name: str, workspace: Path | None, device: str = "cpu"
) -> "Iterator[tuple[ProtoFlow, Workspace]]":
    """Load the flow ``name`` (a file, else one of the workspace) and open the workspace (None: the demo)."""
    from sip_explorer.protoflow import load_protoflow
    from sip_explorer.training.environment import resolve_device

    with opened(workspace) as there:
        yield load_protoflow(flow_path(name, there), device=str(resolve_device(device))), there


def load_flow(name: str, workspace: Path | None, device: str = "cpu") -> "ProtoFlow":
    """Load the flow ``name``; the workspace is opened only where no file is called so."""
    from sip_explorer.protoflow import load_protoflow
    from sip_explorer.training.environment import resolve_device

    place = str(resolve_device(device))
    if Path(name).is_file():
        return load_protoflow(name, device=place)
    with opened(workspace) as there:
        return load_protoflow(flow_path(name, there), device=place)


def flow_path(name: str, workspace: "Workspace") -> Path:
    """Return the file of the flow ``name``; that which is not there is left to `load_protoflow` to refuse."""
    from sip_explorer.protoflow.published.loading import checkpoint_file

    path = Path(name)
    if path.is_file():
        return path
    known = [entry for entry in workspace.models() if entry.kind == "protoflow"]
    for entry in known:
        if name in (entry.name, str(entry.id)):
            return entry.path
    if path.is_dir():
        return checkpoint_file(path)
    if not path.suffix:
        names = ", ".join(entry.name for entry in known) or "none yet"
        raise SipError(f"The workspace {workspace.name} has no ProtoFlow {name}; it has: {names}.")
    return path


def prototype_of(flow: "ProtoFlow", words: str) -> "Prototype":
    """Return the prototype that ``CLASS:NUMBER`` names, counted from 1."""
    name, colon, number = words.rpartition(":")
    if not colon or not number.strip().isdecimal():
        raise SipError(f"“{words}” names no prototype: write {PrototypeWords}.")
    return choose(flow, name.strip(), int(number))[0]


def choose(flow: "ProtoFlow", name: str | None, number: int | None) -> "list[Prototype]":
    """Return the prototypes of a class (None: of all), all or the one of that number, counted from 1."""
    names = list(flow.classes)
    if name is not None and name not in names:
        raise SipError(f"The flow has no class {name}; it has: {', '.join(names)}.")
    if number is not None and not 1 <= number <= flow.components:
        raise SipError(f"The flow has no prototype {number}; its classes have 1 to {flow.components}.")
    rows = [row for row, known in zip(flow.prototypes, names, strict=True) if name in (None, known)]
    return [prototype for row in rows for prototype in row if number in (None, prototype.component + 1)]


def images_of(flow: "ProtoFlow", workspace: "Workspace", words: Sequence[str]) -> Shown:
    """Return the images that ``words`` name: ids of the workspace, or picture files."""
    import numpy as np
    import torch

    from sip_explorer.data import read_image
    from sip_explorer.data.fitting import fit_images

    known = {name.casefold(): label for label, name in enumerate(flow.classes)}
    images, labels, names = [], [], []
    for word in words:
        label = -1
        if word.isdecimal():
            number = int(word)
            if number not in set(workspace.image_ids().tolist()):
                raise SipError(
                    f"The workspace {workspace.name} has no image {number}; name one of its ids, or a file."
                )
            pixels = workspace.images(np.array([number]), size=flow.input_shape[1:])
            own = int(workspace.labels(np.array([number]))[0])
            name = f"image {number}"
            if own >= 0:
                label = known.get(workspace.classes[own].casefold(), -1)
                name += f" ({workspace.classes[own]})"
        else:
            pixels, name = read_image(Path(word))[None], Path(word).name
        images.append(fit_images(pixels, flow.input_shape))
        labels.append(label)
        names.append(name)
    place = flow.mixture.mean.device
    return Shown(torch.cat(images).to(place), tuple(labels), tuple(names))


def labelled(
    flow: "ProtoFlow", workspace: "Workspace", split: str, count: int, called: str
) -> "tuple[torch.Tensor, torch.Tensor, list[int]]":
    """Return images (N, C, H, W), labels (N,) and ids, spread over a split, as the flow takes them."""
    import torch

    from sip_explorer.cli.attacked import choose_images
    from sip_explorer.data.fitting import fit_images, fit_labels

    ids = choose_images(workspace, split, count)
    images = fit_images(workspace.images(ids, size=flow.input_shape[1:]), flow.input_shape)
    labels = fit_labels(workspace.labels(ids), workspace.classes, flow.classes, called)
    return images, torch.from_numpy(labels), ids.tolist()


def indexed(
    flow: "ProtoFlow", workspace: "Workspace", count: int, token: CancelToken
) -> "LatentIndex | None":
    """Encode that many training images of the workspace, as a job that is shown."""
    from sip_explorer.cli.attacked import choose_images
    from sip_explorer.data.fitting import fit_images
    from sip_explorer.protoflow.looking import index_images

    found: list[LatentIndex] = []
    job = index_images(
        flow,
        choose_images(workspace, "train", count),
        lambda ids: fit_images(workspace.images(ids, size=flow.input_shape[1:]), flow.input_shape),
        token,
    )
    follow(job, token, lambda artefact: found.append(artefact.data))
    return found[0] if found else None
