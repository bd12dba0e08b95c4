"""What a person sees of a flow: walks, heat maps, belonging, galleries, drawings, attacks."""

from sip_explorer.protoflow.looking.belonging import (
    Effect,
    Explanation,
    class_posterior,
    effect,
    explain,
    prototype_name,
    responsibilities,
    switched_off,
)
from sip_explorer.protoflow.looking.directions import principal_directions
from sip_explorer.protoflow.looking.gallery import LatentIndex, index_images
from sip_explorer.protoflow.looking.heat import density_gradient, log_density
from sip_explorer.protoflow.looking.walks import between, pixel_motion, traverse, walk

__all__ = [
    "Effect",
    "Explanation",
    "LatentIndex",
    "between",
    "class_posterior",
    "density_gradient",
    "effect",
    "explain",
    "index_images",
    "log_density",
    "pixel_motion",
    "principal_directions",
    "prototype_name",
    "responsibilities",
    "switched_off",
    "traverse",
    "walk",
]
