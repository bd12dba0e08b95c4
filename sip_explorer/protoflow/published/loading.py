"""ProtoFlow and DenseFlow checkpoints in the published format; no pickle of a file is ever run.

A ProtoFlow is ``checkpoint.pt`` beside ``config.json``, a plain DenseFlow a folder with
``check/checkpoint.pt`` and ``args.pickle``, which is never opened: keys and shapes say all but the
size of the images. Format of Carmichael et al. 2024 (arXiv 2407.12200).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from sip_explorer.models.inspection import METADATA_KEY, CheckpointInfo, inspect_checkpoint
from sip_explorer.models.torch_tensors import read_state
from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.protoflow.published.backbone import DenseFlow
from sip_explorer.protoflow.published.configuration import image_size, read_configuration
from sip_explorer.protoflow.published.heads import class_count, set_mixture, standard_mixture
from sip_explorer.protoflow.published.keys import check_keys, flow_prefix, plan_of
from sip_explorer.records import SipError

WEIGHTS = ("model", "model_ema", "model_ema_updated_bn")
"""What a checkpoint may hold: the model, its average, the average with BatchNorm run over the data again."""


def published_weights(path: Path | str) -> tuple[str, ...]:
    """Return which of `WEIGHTS` a checkpoint holds."""
    variants = _variants(checkpoint_file(path))
    return tuple(name for name in WEIGHTS if name in variants)


def is_published(path: Path | str) -> bool:
    """Return whether a file or folder holds a flow in the published format.

    False where it is unreadable, and where it is a file of this program, whose keys are the same.
    """
    try:
        variants = _variants(checkpoint_file(path))
        return any(
            flow_prefix(info.shapes) is not None and METADATA_KEY not in info.metadata
            for info in variants.values()
        )
    except SipError:
        return False


def load_published(
    path: Path | str,
    *,
    weights: str = "model",
    classes: Sequence[str] | None = None,
    size: int | None = None,
    device: str = "cpu",
    measure: bool = True,
) -> ProtoFlow:
    """Read a ProtoFlow or DenseFlow checkpoint, in float32 and eval().

    A plain DenseFlow has no prototypes: it opens as a flow with one class, "images", whose only
    prototype is its standard normal, so that its log-likelihoods are the DenseFlow's own.

    Parameters
    ----------
    path : checkpoint.pt, or the folder that it or check/checkpoint.pt is in.
    weights : one of `WEIGHTS`.
    classes : names, one a class; "class 0", "class 1", … if None.
    size : height and width of the images in pixels, where the file does not say it.
    measure : whether to measure the round trip (``flow.round_trip``).

    Raises
    ------
    SipError
        Where the file is no such checkpoint, or keys, shapes, values or configuration are at fault.
    """
    file = checkpoint_file(path)
    info = _chosen(file, weights)
    prefix = flow_prefix(info.shapes)
    if prefix is None:
        raise SipError(
            f"{file.name} holds {_kind(info)}, not a flow in the published format (there is no "
            "transforms.0.encoder); choose a ProtoFlow or DenseFlow checkpoint."
        )
    flow_shapes, head_shapes, head = _parted(info.shapes, prefix)
    configuration = read_configuration(file)
    size_found = image_size(flow_shapes, head_shapes, configuration, size, file.name)
    plan = plan_of(flow_shapes, size_found, file.name)
    with torch.device("meta"):
        backbone = DenseFlow(plan)
    count, components = class_count(head_shapes, backbone.latent_shape, file.name)
    configuration.check(file.name, plan, count, components)
    empty = backbone.state_dict()
    check_keys(file.name, flow_shapes, {key: tuple(value.shape) for key, value in empty.items()})
    state = {key: _float32(value) for key, value in read_state(info).items()}
    _check_finite(file.name, state)
    counters = {key: torch.zeros((), dtype=torch.long) for key in empty if key not in flow_shapes}
    backbone.load_state_dict(counters | {key: state[prefix + key] for key in flow_shapes}, assign=True)
    backbone.requires_grad_(True)
    origin = {"format": "published", "file": file.name, "weights": weights}
    flow = ProtoFlow(backbone, _names(file.name, classes, count), max(1, components), origin)
    if count:
        set_mixture(flow.mixture, {key: state[head + key] for key in head_shapes}, file.name)
    else:
        standard_mixture(flow.mixture)
    flow.to(device).eval()
    if measure:
        flow.measure_round_trip()
    return flow


def checkpoint_file(path: Path | str) -> Path:
    """Return the checkpoint.pt that a file or folder stands for."""
    path = Path(path)
    if not path.is_dir():
        return path
    for inside in ("checkpoint.pt", "check/checkpoint.pt"):
        if (path / inside).is_file():
            return path / inside
    raise SipError(
        f"{path} holds neither checkpoint.pt nor check/checkpoint.pt; choose the checkpoint itself."
    )


def _variants(file: Path) -> dict[str, CheckpointInfo]:
    """Return the state dicts of a file by the key that they sit under; "model" at the top."""
    first = inspect_checkpoint(file)
    found: dict[str, CheckpointInfo] = {}
    for name in first.variants:
        info = first if name == first.weights else inspect_checkpoint(file, name)
        found.setdefault(str(info.place[0]) if info.place else "model", info)
    return found


def _chosen(file: Path, weights: str) -> CheckpointInfo:
    variants = _variants(file)
    if weights in variants:
        return variants[weights]
    if not variants:
        raise SipError(f"{file.name} holds no weights; choose a ProtoFlow or DenseFlow checkpoint.")
    held = [name for name in variants if name in WEIGHTS] or list(variants)
    if weights == "model" and held[0] not in WEIGHTS:
        return variants[held[0]]
    raise SipError(f"{file.name} holds no {weights!r}; choose {' or '.join(held)}.")


def _kind(info: CheckpointInfo) -> str:
    return f"the classifier {info.architecture}" if info.architecture else "some other network"


def _parted(
    shapes: dict[str, tuple[int, ...]], prefix: str
) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]], str]:
    """Return the shapes of the flow, of the mixtures, and what stands before the mixtures' keys.

    A plain DenseFlow's base distribution (base_dist) is N(0, I) and dropped, as is the counter of an
    average; what belongs to nothing stays with the flow, where it is reported.
    """
    head = prefix.removesuffix("model.")
    flow, mixtures = {}, {}
    for key, shape in shapes.items():
        if key.startswith(f"{head}gmms."):
            mixtures[key.removeprefix(head)] = shape
        elif not key.startswith(f"{prefix}base_dist.") and key != "n_averaged":
            flow[key.removeprefix(prefix)] = shape
    return flow, mixtures, head


def _float32(tensor: Tensor) -> Tensor:
    """Return a copy of its own (the file stays mapped only while it is read)."""
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    return tensor.to(dtype, copy=True).contiguous()


def _check_finite(name: str, state: dict[str, Tensor]) -> None:
    bad = [key for key, value in state.items() if not bool(torch.isfinite(value).all())]
    if bad:
        more = f" and {len(bad) - 10} more" if len(bad) > 10 else ""
        raise SipError(
            f"{name} holds values that are not finite numbers in {', '.join(bad[:10])}{more}; choose an "
            "earlier checkpoint."
        )


def _names(name: str, classes: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if classes is None:
        return tuple(f"class {c}" for c in range(count)) or ("images",)
    if len(classes) != max(1, count):
        raise SipError(f"{name} has {max(1, count)} classes, not {len(classes)}; give as many names.")
    return tuple(classes)
