"""The mixtures of a published checkpoint: gmms.{c}.{mu, var, pi}.

The published density is that of covariance diag(√var). Here it is kept: log_variance = ½·log var,
so that density and samples agree.
"""

import math
import re

import torch
from torch import Tensor

from sip_explorer.protoflow.mixture import MixtureHead
from sip_explorer.protoflow.published.keys import Shapes, check_keys
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
    numbers = {int(match[1]) for key in gmms if (match := _KEY.fullmatch(key))}
    # In a row from 0, at least one: what a file has beside them is named as too much.
    classes = next((n for n in range(len(numbers)) if n not in numbers), len(numbers)) or 1
    components = next((shape[1] for key, shape in gmms.items() if key.endswith(".mu") and len(shape) == 3), 1)
    length = math.prod(latent_shape)
    last = {"mu": length, "var": length, "pi": 1}
    wanted = {
        f"gmms.{c}.{part}": (1, components, last[part])
        for c in range(classes)
        for part in ("mu", "var", "pi")
    }
    latent = "×".join(map(str, latent_shape))
    count = "1 class" if classes == 1 else f"{classes} classes"
    where = f" where {count} of {components} prototypes over a latent of {latent} belong"
    check_keys(name, gmms, wanted, where)
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
