"""What every way of loading shares: the classifier around a network, its origin, its normalisation."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from sip_explorer.models import recognition
from sip_explorer.models.assumptions import assumed_classes, assumed_normalisation
from sip_explorer.models.classifier import Classifier
from sip_explorer.models.inspection import CheckpointInfo
from sip_explorer.records import SipError

Normalisation = tuple[Sequence[float], Sequence[float]]
Size = tuple[int, int, int]


def described(
    info: CheckpointInfo,
    name: str,
    ours: Mapping[str, Any],
    layout: recognition.Layout,
    state: Mapping[str, Tensor],
    channels: int,
    count: int,
) -> tuple[Sequence[str], Normalisation, dict[str, str]]:
    """Return class names, normalisation and origin: our file says them, of a foreign one they are found."""
    if ours:
        origin = {str(key): str(value) for key, value in ours["origin"].items()}
        return ours["classes"], (ours["mean"], ours["std"]), origin
    values, source = inside(layout, state, channels) or assumed_normalisation(name, channels, count)
    names, named = assumed_classes(name, count, channels)
    return names, values, origin_of(info, normalisation=source, classes=named)


def none(channels: int) -> Normalisation:
    """Return the normalisation that leaves images as they are."""
    return (0.0,) * channels, (1.0,) * channels


def origin_of(info: CheckpointInfo, **words: str) -> dict[str, str]:
    """Return where the weights come from, with further ``words`` for people."""
    return {
        "file": info.path.name,
        "format": f"{info.kind} under {info.layout!r}" if info.layout else info.kind,
        **words,
    }


def classifier_of(
    info: CheckpointInfo,
    network: nn.Module,
    name: str,
    labels: Sequence[str],
    shape: Size,
    values: Normalisation,
    origin: dict[str, str],
) -> Classifier:
    """Return the classifier; `SipError` with the file in its sentence where the parts do not fit."""
    try:
        return Classifier(
            network,
            architecture=name,
            classes=labels,
            input_shape=shape,
            mean=values[0],
            std=values[1],
            origin=origin,
        )
    except SipError as error:
        raise naming(info, error) from error


def naming(info: CheckpointInfo, error: SipError) -> SipError:
    """Return the error with the file in its sentence."""
    if str(info.path) in str(error):
        return error
    return SipError(f"{info.path} cannot be used. {error}", detail=error.detail)


def inside(
    layout: recognition.Layout, state: Mapping[str, Tensor], channels: int
) -> tuple[Normalisation, str] | None:
    """Return the normalisation that lies among the weights, None where there is none."""
    if not layout.mean:
        return None
    mean, std = (state[key].float().flatten().tolist() for key in (layout.mean, layout.std))
    if len(mean) not in (1, channels) or len(std) not in (1, channels):
        return None
    pair = [values * channels if len(values) == 1 else values for values in (mean, std)]
    return (pair[0], pair[1]), f"read from {layout.mean} and {layout.std} in the file"
