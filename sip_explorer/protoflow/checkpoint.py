"""ProtoFlow files: safetensors with one JSON entry, ``sip_explorer``, in the metadata."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sip_explorer.protoflow.config import FlowConfig
from sip_explorer.protoflow.flow import ProtoFlow, build_protoflow
from sip_explorer.protoflow.multiscale import MultiScaleFlow
from sip_explorer.protoflow.published.backbone import DenseFlow
from sip_explorer.protoflow.published.keys import plan_of
from sip_explorer.protoflow.published.loading import load_published
from sip_explorer.protoflow.published.plan import DenseFlowPlan
from sip_explorer.records import SipError, atomic_path

FORMAT = 2


def save_protoflow(path: Path | str, flow: ProtoFlow, *, origin: dict[str, str] | None = None) -> None:
    """Write a flow atomically; ``origin`` replaces the flow's own."""
    about = {
        "format": FORMAT,
        "kind": "protoflow",
        "architecture": flow.backbone.architecture,
        "config": flow.backbone.plan(),
        "components": flow.components,
        "classes": list(flow.classes),
        "input_shape": list(flow.input_shape),
        "variance": "log-variance",
        "origin": flow.origin if origin is None else dict(origin),
    }
    tensors = {key: value.detach().cpu().contiguous() for key, value in flow.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, {"sip_explorer": json.dumps(about, ensure_ascii=False)})


def load_protoflow(path: Path | str, *, device: str = "cpu") -> ProtoFlow:
    """Read a flow in eval() and measure its round trip (``flow.round_trip``).

    A checkpoint in the published format is read too, with its plain weights and classes without names;
    `load_published` has the choice.

    Raises
    ------
    SipError
        Where the file is missing, truncated, of another kind, or does not hold what it says.
    """
    path = Path(path)
    if path.is_dir() or (path.is_file() and is_torch_file(path)):
        return load_published(path, device=device)
    about, tensors = _read(path)
    if about.get("variance") != "log-variance":
        raise SipError(f"{path.name} does not state its variances as log-variances; write the file again.")
    flow = _build(path, about, tensors)
    # Files of format 1 have no prefix and no switched-off prototypes.
    tensors = {f"backbone.{key}" if key.startswith("layers.") else key: tensors[key] for key in tensors}
    tensors.setdefault("mixture.active", flow.mixture.active)
    _check_tensors(path, flow, tensors)
    flow.probe = tensors["probe"].clone()  # the file stays mapped only while it is read
    flow.load_state_dict(tensors)
    flow.to(device).eval()
    flow.measure_round_trip()
    return flow


def is_torch_file(path: Path) -> bool:
    """Return whether a file begins like PyTorch's, new or old; nothing of it is run."""
    with open(path, "rb") as file:
        return file.read(2) in (b"PK", b"\x80\x02")


def _build(path: Path, about: dict[str, Any], tensors: dict[str, Tensor]) -> ProtoFlow:
    """Build the flow that a file claims to hold, unless ``tensors`` cannot be one so large."""
    plan, classes, origin = about.get("config") or {}, about.get("classes") or [], about.get("origin") or {}
    components = about.get("components", 1)
    architecture = about.get("architecture", MultiScaleFlow.architecture)
    for key, right in (
        ("classes", isinstance(classes, list) and all(isinstance(name, str) for name in classes)),
        ("origin", isinstance(origin, dict)),
        ("components", type(components) is int and components > 0),
    ):
        if not right:
            raise SipError(f"{path.name} says {about[key]!r} for its {key}; write the file again.")
    means = tensors.get("mixture.mean")
    if classes and means is not None and tuple(means.shape[:2]) != (len(classes), components):
        raise SipError(
            f"{path.name} does not fit its own plan: it names {len(classes)} classes of {components} "
            f"prototypes, its mixture.mean is of shape {tuple(means.shape)}; write the file again."
        )
    if architecture == MultiScaleFlow.architecture:
        config = FlowConfig.from_dict(plan)
        held = sum(tensor.numel() for tensor in tensors.values())
        if (least := config.least_weights(len(classes))) > held:
            raise SipError(
                f"{path.name} does not fit its own plan: that has more than {least:,} weights, the file "
                f"{held:,}; write the file again."
            )
        return build_protoflow(config, classes, seed=0, origin=origin)
    if architecture == DenseFlow.architecture:
        dense = DenseFlowPlan.from_dict(plan)
        shapes = {key.removeprefix("backbone."): tuple(tensor.shape) for key, tensor in tensors.items()}
        if (found := plan_of(shapes, dense.input_shape[1:], path.name)) != dense:
            raise SipError(
                f"{path.name} does not fit its own plan: its weights are of block_conf "
                f"{list(found.block_conf)}, layers_conf {list(found.layers_conf)} and widths "
                f"{list(found.widths)}; write the file again."
            )
        return ProtoFlow(DenseFlow(dense), classes, components, origin)
    raise SipError(
        f"{path.name} holds a flow of the family {architecture!r}, which this SIP Explorer does not know; "
        "update the program."
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise SipError(f"There is no file {path}; choose another.")
    foreign = f"{path.name} is not a ProtoFlow file of SIP Explorer; choose one that this program saved."
    with open(path, "rb") as file:
        head = file.read(9)
    if head[8:9] != b"{":
        raise SipError(foreign)
    try:
        with safe_open(path, "pt") as file:
            entry = (file.metadata() or {}).get("sip_explorer", "")
            about = json.loads(entry) if entry else {}
            if not isinstance(about, dict) or not about:
                raise SipError(foreign)
            if about.get("kind") != "protoflow":
                raise SipError(
                    f"{path.name} holds a {about.get('kind')}, not a ProtoFlow; choose a ProtoFlow file."
                )
            if int(about.get("format", 0)) > FORMAT:
                raise SipError(
                    f"{path.name} was written by a newer SIP Explorer; update the program to open it."
                )
            return about, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise SipError(f"{path.name} is damaged or cut short ({error}); copy it again.") from error


def _check_tensors(path: Path, flow: ProtoFlow, tensors: dict[str, Tensor]) -> None:
    wanted = flow.state_dict()
    shapes = {key: tuple(value.shape) for key, value in wanted.items()}
    missing = sorted(set(wanted) - set(tensors))
    extra = sorted(set(tensors) - set(wanted))
    wrong = sorted(
        key
        for key in set(wanted) & set(tensors)
        if tuple(tensors[key].shape)[1 if key == "probe" else 0 :]
        != shapes[key][1 if key == "probe" else 0 :]
    )
    faults = [
        f"{what} {', '.join(keys[:10])}{' and more' if len(keys) > 10 else ''}"
        for what, keys in (("missing", missing), ("unknown", extra), ("of another shape", wrong))
        if keys
    ]
    if faults:
        raise SipError(f"{path.name} does not fit its own plan: {'; '.join(faults)}; write the file again.")
    if tensors["probe"].dtype != torch.uint8:
        raise SipError(
            f"{path.name} holds a probe that is no 8-bit image but {tensors['probe'].dtype}; write the file "
            "again."
        )
    bad = sorted(key for key, value in tensors.items() if not bool(torch.isfinite(value).all()))
    if bad:
        raise SipError(
            f"{path.name} holds values that are not numbers in {', '.join(bad[:10])}; train the model again."
        )
