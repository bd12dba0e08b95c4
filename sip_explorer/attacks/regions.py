"""Where an attack may move pixels: everywhere, in the salient region, or in the background."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from sip_explorer.attacks.request import Request
from sip_explorer.records import SipError
from sip_explorer.records.sweeps import REGIONS


@dataclass(frozen=True)
class Part:
    """The images of a region, and what may be moved in them.

    Attributes
    ----------
    images, labels, ids
        (n, C, H, W), (n,) and (n,).
    budget
        (n, 1, H, W) float32 of 0 and 1; None where every pixel may be moved.
    left_out
        How many of the chosen images have no such region.
    """

    images: Tensor
    labels: Tensor
    ids: Tensor
    budget: Tensor | None = None
    left_out: int = 0

    @property
    def notice(self) -> str:
        """Say how many images are left out; empty where there is none."""
        if not self.left_out:
            return ""
        total = len(self.images) + self.left_out
        return (
            f"{self.left_out} of {total} images are left out: their salience covers nothing or everything, "
            "so they have no two regions."
        )


def background_budget(salience: Tensor) -> Tensor:
    """Return 1[1 − S ≥ 0.5], the pixels that SIP-AT's authors call background (arXiv 2501.09086).

    Parameters
    ----------
    salience
        (N, 1, H, W): floats in [0, 1], or uint8, where S = value / 255.

    Returns
    -------
    float32 (N, 1, H, W) of 0 and 1; one minus it is the salient region, exactly.
    """
    if salience.dtype == torch.uint8:
        return (salience < 128).float()
    return (1 - salience >= 0.5).float()


def parts(request: Request, regions: Iterable[str], salience: Tensor | None) -> dict[str, Part]:
    """Return the images of each region.

    The salient region and the background are those of the same images: one whose salience covers no pixel
    or all of them is left out of both, so that their figures can be compared and none counts as robust only
    because there was nothing to attack.

    Parameters
    ----------
    request
        The chosen images.
    regions
        Names of `REGIONS`.
    salience
        (N, 1, H, W) uint8, or floats in [0, 1]; may be None where no region but everywhere is asked for.

    Raises
    ------
    SipError
        There is no salience, it does not fit the images, or none of them has two regions.
    """
    assert request.ids is not None
    whole = Part(request.images, request.labels, request.ids)
    found = {region: whole for region in regions}
    restricted = [region for region in found if region != REGIONS[0]]
    if not restricted:
        return found
    background = background_budget(_checked(salience, request.images))
    shares = background.flatten(1).mean(1)
    kept = (shares > 0) & (shares < 1)
    if not bool(kept.any()):
        raise SipError(
            f"No image has both a salient region and a background, so none can be attacked in its "
            f"{restricted[0]} region alone: choose another salience, or paint these images."
        )
    for region in restricted:
        budget = background[kept]
        found[region] = Part(
            request.images[kept],
            request.labels[kept],
            request.ids[kept],
            budget if region == "background" else 1 - budget,
            int((~kept).sum()),
        )
    return found


def _checked(salience: Tensor | None, images: Tensor) -> Tensor:
    if salience is None:
        raise SipError(
            "An attack on the salient region or on the background needs the images' salience: choose one, or "
            "attack everywhere."
        )
    shape = (len(images), 1, *images.shape[2:])
    if tuple(salience.shape) != shape:
        raise SipError(
            f"The salience has the shape {tuple(salience.shape)} and {shape} is needed: one map for each "
            "image, of its height and width."
        )
    # Written so that NaN is refused as well.
    if salience.is_floating_point() and not bool(((salience >= 0) & (salience <= 1)).all()):
        raise SipError("The salience holds values outside [0, 1]: scale the maps first.")
    return salience.to(images.device)
