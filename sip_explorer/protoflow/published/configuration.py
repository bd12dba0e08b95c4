"""The config.json beside a ProtoFlow checkpoint, and what it must agree with."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sip_explorer.protoflow.published.keys import Shapes, latent_channels
from sip_explorer.protoflow.published.plan import DenseFlowPlan
from sip_explorer.records import SipError

NAME = "config.json"
_PLAN = {
    "block_conf": "block_conf",
    "layers_conf": "layers_conf",
    "layer_mid_chnls": "widths",
    "growth_rate": "growth",
}


@dataclass(frozen=True)
class Configuration:
    """``values``: what config.json says of the flow, by its own names; empty where there is none."""

    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int | None:
        """Height and width of the images, None where it does not say."""
        size: Any = self.values.get("img_size")
        if isinstance(size, list) and size:
            size = size[0]
        return size  # type: ignore[no-any-return]  # checked where it is used

    def check(self, name: str, plan: DenseFlowPlan, classes: int, components: int) -> None:
        """Raise SipError where it contradicts the tensors of the checkpoint ``name``."""
        found: dict[str, Any] = {key: getattr(plan, entry) for key, entry in _PLAN.items()}
        if max(plan.block_conf) == 1:  # no noise is joined, so that the growth has no meaning
            del found["growth_rate"]
        found |= {"img_size": plan.input_shape[1]}
        if classes:
            found |= {"num_classes": classes, "protos_per_class": components}
        for key, value in found.items():
            if (said := self.values.get(key)) is None:
                continue
            wanted = list(value) if isinstance(value, tuple) else value
            if said != wanted and said != [wanted] * 2:
                raise SipError(
                    f"{NAME} says {key} {said}, the tensors of {name} have {wanted}; use the {NAME} that "
                    "belongs to the checkpoint."
                )


def read_configuration(checkpoint: Path) -> Configuration:
    """Return what config.json beside the checkpoint says.

    Raises
    ------
    SipError
        Where it is no JSON, or asks for something that is not 8-bit images.
    """
    path = checkpoint.with_name(NAME)
    if not path.is_file():
        return Configuration()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        values = {**content, **content.get("flow_args", {})}
    except (ValueError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise SipError(
            f"{path} is no configuration of a ProtoFlow ({error}); copy it again, or take it away: the "
            "checkpoint's tensors say most of it."
        ) from error
    if values.get("num_bits", 8) != 8:
        raise SipError(
            f"{path} says num_bits {values['num_bits']}; only flows of 8-bit images can be opened."
        )
    return Configuration(values)


def image_size(
    shapes: Shapes, gmms: Shapes, configuration: Configuration, given: int | None, name: str
) -> tuple[int, int]:
    """Return (height, width): as given, else as config.json says, else as the prototypes' length says."""
    size = given if given is not None else configuration.size
    if size is None:
        size = _size_of_prototypes(shapes, gmms)
    if size is None:
        raise SipError(
            f"{name} does not say how large its images are; give their size in pixels, such as 32 or 64."
        )
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 4096:
        raise SipError(
            f"The size of the images is {size!r}; give a whole number of pixels, such as 32 or 64."
        )
    return size, size


def _size_of_prototypes(shapes: Shapes, gmms: Shapes) -> int | None:
    channels, blocks = latent_channels(shapes)
    length = next((shape[-1] for key, shape in gmms.items() if key.endswith(".mu") and shape), 0)
    if not channels or not length:
        return None
    side = math.isqrt(length // channels)
    return side << blocks if side * side * channels == length else None
