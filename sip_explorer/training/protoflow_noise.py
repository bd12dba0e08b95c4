"""What is random in a ProtoFlow's training: a function of seed, epoch and image, never a stream."""

import torch
from torch import Tensor

from sip_explorer.attacks.keyed import image_keys, standard_normal
from sip_explorer.protoflow import Backbone
from sip_explorer.training.augmentation import Augmentation
from sip_explorer.training.protoflow_declaration import ProtoFlowFields

FIRST, AGAIN, START = 0x5EED_0B00, 0x5EED_0B01, 0x5EED_0B02  # the two views of an image; the set-up
_ETA = 0x5EED_0B10


def augmentation_of(recipe: ProtoFlowFields, view: int) -> Augmentation:
    """Return how the recipe changes images for one of their two views."""
    return Augmentation(
        flip=recipe.flip,
        crop_padding=recipe.shift,
        rotation=recipe.rotation,
        zoom=recipe.zoom,
        outside=recipe.outside,
        seed=recipe.seed if view == FIRST else recipe.seed ^ view,
    )


def levels_of(images: Tensor) -> Tensor:
    """Return the 8-bit levels, float32, of images (N, C, H, W) in [0, 1]."""
    return (255 * images).round_()


def base_noise(shape: torch.Size, ids: Tensor, seed: int, epoch: int, view: int) -> Tensor:
    """Return the ξ, N(0, 1), from which the backbone makes its dequantisation noise (`noise_from`).

    Float32 (N, *shape), of the images ``ids`` in one view of an epoch; 65,536 quantiles.
    """
    return standard_normal(image_keys(ids, view, seed, epoch), shape)


def joined_noise(
    backbone: Backbone, ids: Tensor, seed: int, epoch: int, view: int
) -> tuple[Tensor, ...] | None:
    """Return the noise that the couplings join, N(0, 1) by image; None where they join none."""
    if not backbone.eta_shapes:
        return None
    return tuple(
        standard_normal(image_keys(ids, _ETA, view, seed, epoch, part), torch.Size(shape))
        for part, shape in enumerate(backbone.eta_shapes)
    )
