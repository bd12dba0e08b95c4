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
from sip_explorer.protoflow.looking.detecting import Detector, detector, paradox
from sip_explorer.protoflow.looking.directions import principal_directions
from sip_explorer.protoflow.looking.drawing import draw, record_of, sample_images, to_pixels
from sip_explorer.protoflow.looking.gallery import LatentIndex, index_images
from sip_explorer.protoflow.looking.heat import density_gradient, evidence, log_density, over_image
from sip_explorer.protoflow.looking.pictures import Strip, diverging, gif, sheet, table
from sip_explorer.protoflow.looking.under_attack import Drift, DriftStep, FlowClassifier, drift
from sip_explorer.protoflow.looking.walks import between, pixel_motion, traverse, walk

__all__ = [
    "Detector",
    "Drift",
    "DriftStep",
    "Effect",
    "Explanation",
    "FlowClassifier",
    "LatentIndex",
    "Strip",
    "between",
    "class_posterior",
    "density_gradient",
    "detector",
    "diverging",
    "draw",
    "drift",
    "effect",
    "evidence",
    "explain",
    "gif",
    "index_images",
    "log_density",
    "over_image",
    "paradox",
    "pixel_motion",
    "principal_directions",
    "prototype_name",
    "record_of",
    "responsibilities",
    "sample_images",
    "sheet",
    "switched_off",
    "table",
    "to_pixels",
    "traverse",
    "walk",
]
