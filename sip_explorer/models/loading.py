"""Checkpoints into classifiers."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from sip_explorer.models import recognition
from sip_explorer.models.architectures import build_network
from sip_explorer.models.catalogue import (
    CIFAR10_CLASSES,
    CIFAR_RESNETS,
    architecture_names,
    fingerprints,
    head_key,
)
from sip_explorer.models.classifier import Classifier
from sip_explorer.models.inspection import LAYOUTS, METADATA_KEY, CheckpointInfo, inspect_checkpoint
from sip_explorer.models.saving import FORMAT
from sip_explorer.records import SipError

Normalisation = tuple[Sequence[float], Sequence[float]]


def load_checkpoint(
    path: Path | str,
    architecture: str | None = None,
    *,
    classes: Sequence[str] | None = None,
    normalisation: Normalisation | None = None,
    device: str | torch.device = "cpu",
) -> Classifier:
    """Return the classifier of a checkpoint file, in evaluation mode, in float32.

    Torch files are read with ``weights_only=True``; nothing in the file is executed. What a
    foreign file does not say (normalisation, class names) is assumed, and ``origin`` says so.

    Parameters
    ----------
    path : path
        Safetensors (ours or any state dict), or a torch file with a state dict, bare or under
        ``state_dict``, ``model``, ``model_state_dict`` or ``net``.
    architecture : str, optional
        A name of `architecture_names`; found from keys and shapes if None.
    classes : sequence of str, optional
        One name per logit, in place of those of the file.
    normalisation : (mean, std), optional
        One float per channel each, in units of the [0, 1] image, in place of the file's or the
        assumed one.

    Raises
    ------
    SipError
        If the file is damaged, foreign, of an unknown architecture or does not fit the given one.
    """
    info = inspect_checkpoint(path)
    if not info.entries:
        raise SipError(f"{info.path} {_no_tensors(info)}.")
    ours = _our_metadata(info, architecture)
    layout = recognition.find_layout(info.shapes)
    shapes = {key: info.shapes[stored] for key, stored in layout.keys.items()}
    name = architecture or info.architecture
    if name not in architecture_names():
        raise SipError(f"{info.path} {_unknown(name)}.")
    state = _read(info)
    if ours:
        size = tuple(ours["input_shape"])
        names, values = ours["classes"], (ours["mean"], ours["std"])
        origin = {str(key): str(value) for key, value in ours["origin"].items()}
    else:
        if not shapes.get(head_key(name)):
            raise SipError(f"{info.path} {_lacks(head_key(name), name)}.")
        size = recognition.input_shape(name, shapes)
        values, source = _normalisation(name, layout, state, size[0])
        names, named = _class_names(name, shapes[head_key(name)][0], size)
        origin = {
            "file": info.path.name,
            "format": f"{info.kind} under {info.layout!r}" if info.layout else info.kind,
            "normalisation": source,
            "classes": named,
        }
    if normalisation is not None:
        values, origin["normalisation"] = normalisation, "given"
    if classes is not None:
        if len(classes) != len(names):
            raise SipError(f"{info.path} has {len(names)} classes, not {len(classes)}; name as many.")
        names, origin["classes"] = tuple(classes), "given"
    try:
        network = _fill(info.path, name, size, len(names), {k: state[v] for k, v in layout.keys.items()})
        classifier = Classifier(
            network,
            architecture=name,
            classes=names,
            input_shape=size,
            mean=values[0],
            std=values[1],
            origin=origin,
        )
    except SipError as error:
        if str(info.path) in str(error):
            raise
        raise SipError(f"{info.path} cannot be used. {error}") from error
    return classifier.eval().to(device)


def _no_tensors(info: CheckpointInfo) -> str:
    if foreign := info.metadata.get("foreign"):
        return (
            f"holds a whole pickled object ({foreign[0]}), which could run code; "
            "open it where it was made and save its state_dict() with torch.save"
        )
    return f"holds no tensors, neither bare nor under {', '.join(LAYOUTS)}; choose another checkpoint"


def _unknown(name: str) -> str:
    if name:
        return f"asks for the architecture {name!r}, which is not known; choose one of torchvision's"
    return (
        "is of an architecture that its keys do not tell; choose the architecture, "
        "or save a model of torchvision, a CIFAR ResNet or one trained here"
    )


def _lacks(key: str, architecture: str) -> str:
    return (
        f"lacks {key} of a {architecture}; choose the architecture it was trained with, "
        "or a file that is whole"
    )


def _our_metadata(info: CheckpointInfo, architecture: str | None) -> dict[str, Any]:
    """Return the description in one of our own files, {} for a foreign one."""
    ours: dict[str, Any] = info.metadata.get(METADATA_KEY, {}) if info.kind == "safetensors" else {}
    if not ours:
        return {}
    try:
        if int(ours["format"]) > FORMAT:
            raise SipError(f"{info.path} was written by a newer SIP Explorer; update this one to open it.")
        if ours["kind"] != "classifier":
            raise SipError(f"{info.path} holds a {ours['kind']}, not a classifier; choose another file.")
        well = (
            isinstance(ours["architecture"], str)
            and len(ours["input_shape"]) == 3
            and all(isinstance(side, int) and 0 < side < 65536 for side in ours["input_shape"])
            and all(isinstance(name, str) for name in ours["classes"])
            and all(isinstance(value, int | float) for value in [*ours["mean"], *ours["std"]])
            and isinstance(ours["origin"], dict)
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise SipError(f"{info.path} has a damaged description ({error}); choose another file.") from error
    if not well:
        raise SipError(f"{info.path} has a damaged description; choose another file.")
    if architecture not in (None, ours["architecture"]):
        raise SipError(
            f"{info.path} is a {ours['architecture']}, not a {architecture}; leave the architecture open."
        )
    return ours


def _read(info: CheckpointInfo) -> dict[str, Tensor]:
    """Return the state dict of the file, keys as stored."""
    try:
        if info.kind == "safetensors":
            return dict(load_file(info.path))
        mapped = zipfile.is_zipfile(info.path)  # what lies beside the weights is then never read
        content = torch.load(info.path, map_location="cpu", weights_only=True, mmap=mapped)
        state = content[info.layout] if info.layout else content
        return {entry.key: state[entry.key] for entry in info.entries}
    except Exception as error:
        if foreign := info.metadata.get("foreign"):
            raise SipError(
                f"{info.path} holds more than tensors ({', '.join(foreign[:3])}), which could run code; "
                "open it where it was made and save the state_dict alone with torch.save."
            ) from error
        raise SipError(
            f"{info.path} is damaged ({type(error).__name__}); copy or download it again."
        ) from error


def _normalisation(
    name: str, layout: recognition.Layout, state: Mapping[str, Tensor], channels: int
) -> tuple[Normalisation, str]:
    if layout.mean:
        mean, std = (state[key].float().flatten().tolist() for key in (layout.mean, layout.std))
        if len(mean) in (1, channels) and len(std) in (1, channels):
            pair = [values * channels if len(values) == 1 else values for values in (mean, std)]
            return (pair[0], pair[1]), f"read from {layout.mean} and {layout.std} in the file"
    if name in fingerprints():
        return fingerprints()[name].normalisation, (
            "assumed: the file does not say, so the one of torchvision's published weights"
        )
    return ((0.0,) * channels, (1.0,) * channels), (
        "assumed: the file does not say, and CIFAR networks trained for robustness take [0, 1]"
    )


def _class_names(name: str, count: int, size: tuple[int, int, int]) -> tuple[Sequence[str], str]:
    if name in fingerprints() and count == 1000:
        import torchvision

        weights = torchvision.models.ResNet18_Weights.DEFAULT
        return tuple(weights.meta["categories"]), "assumed: ImageNet's 1000"
    if name in CIFAR_RESNETS and count == 10 and size[0] == 3:
        return CIFAR10_CLASSES, "assumed: CIFAR-10's"
    return tuple(f"class {index}" for index in range(count)), "not named in the file"


def _fill(
    path: Path, name: str, size: tuple[int, int, int], classes: int, state: dict[str, Tensor]
) -> nn.Module:
    """Return the network of the architecture with the tensors of ``state`` as its weights."""
    try:
        with torch.device("meta"):
            network = build_network(name, size, classes)
    except NotImplementedError:  # RegNet computes its widths with tensors
        network = build_network(name, size, classes)
    filled = network.state_dict()  # filled in place: it also carries the layout's version (MNASNet)
    if extra := sorted(state.keys() - filled.keys()):
        raise SipError(
            f"{path} has {len(extra)} tensors that a {name} has not, such as {extra[0]}; "
            "choose the architecture it was trained with."
        )
    for key, expected in list(filled.items()):
        if key in state:
            tensor = state[key]
        elif key.endswith("num_batches_tracked"):
            tensor = torch.zeros((), dtype=torch.int64)
        else:
            raise SipError(f"{path} {_lacks(key, name)}.")
        if tensor.shape != expected.shape:
            raise SipError(
                f"{path} has {key} of shape {tuple(tensor.shape)} where a {name} has "
                f"{tuple(expected.shape)}; choose the architecture it was trained with."
            )
        if tensor.is_floating_point() != expected.is_floating_point():
            raise SipError(f"{path} has {key} as {tensor.dtype}; save the weights as floating-point numbers.")
        filled[key] = tensor.detach().to(expected.dtype, copy=True).contiguous()
        if not (filled[key].sum().isfinite() or filled[key].isfinite().all()):
            raise SipError(
                f"{path} has values in {key} that are not finite; choose a checkpoint from before "
                "its training diverged."
            )
    network.load_state_dict(filled, assign=True)
    return network
