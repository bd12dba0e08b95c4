"""The mixtures of a published checkpoint: gmms.{c}.{mu, var, pi}.

The published density is that of covariance diag(√var). Here it is kept: log_variance = ½·log var,
so that density and samples agree.
"""

import math
import re

import torch
from torch import Tensor

from sip_explorer.protoflow.mixture import MixtureHead
from sip_explorer.protoflow.published.keys import Shapes
from sip_explorer.records import SipError

_KEY = re.compile(r"gmms\.(\d+)\.(mu|var|pi)")


def class_count(gmms: Shapes, latent_shape: tuple[int, int, int], name: str) -> tuple[int, int]:
    """Return (classes, components per class), (0, 0) where there are no mixtures.

    Raises
    ------
    SipError
        Where the keys or shapes are not those of mixtures over the latent.
    """
    if not gmms:
        return 0, 0
    matches = [_KEY.fullmatch(key) for key in gmms]
    # Counted, not the largest number: a file may name any.
    classes = len({int(match[1]) for match in matches if match}) or 1
    components = next((shape[1] for key, shape in gmms.items() if key.endswith(".mu") and len(shape) == 3), 1)
    length = math.prod(latent_shape)
    last = {"mu": length, "var": length, "pi": 1}
    wanted = {
        f"gmms.{c}.{part}": (1, components, last[part])
        for c in range(classes)
        for part in ("mu", "var", "pi")
    }
    for key in wanted | dict(gmms):
        if gmms.get(key) != wanted.get(key):
            raise SipError(
                f"{name} has {key} of shape {_said(gmms.get(key))} where {classes} classes of {components} "
                f"prototypes over a latent of {_said(latent_shape)} have {_said(wanted.get(key))}; "
                "choose a checkpoint that is whole, or the size that its images have."
            )
    return classes, components


def set_mixture(mixture: MixtureHead, gmms: dict[str, Tensor], name: str) -> None:
    """Fill a mixture from float32 tensors whose keys and shapes `class_count` has checked."""
    classes = range(len(mixture.logits))
    variance = torch.cat([gmms[f"gmms.{c}.var"] for c in classes])
    if not bool((variance > 0).all()):
        raise SipError(f"{name} has prototypes whose variance is not above 0; train the model again.")
    with torch.no_grad():
        mixture.mean.copy_(torch.cat([gmms[f"gmms.{c}.mu"] for c in classes]))
        mixture.log_variance.copy_(0.5 * torch.log(variance))
        mixture.logits.copy_(torch.cat([gmms[f"gmms.{c}.pi"] for c in classes])[..., 0])


def standard_mixture(mixture: MixtureHead) -> None:
    """Make the one prototype a standard normal."""
    with torch.no_grad():
        for parameter in mixture.parameters():
            parameter.zero_()


def _said(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else "×".join(map(str, shape)) or "one number"
