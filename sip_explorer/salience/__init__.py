"""Masks, strokes and patches; budgets; Grad-CAM and integrated gradients.

A **mask** is a numpy uint8 array (H, W), 0..255; a pixel is protected iff its value is >= 128.
**Salience** is the torch side: float32 N1HW in [0, 1], 1 = salient. A **budget** is N1HW in [0, 1],
the share of epsilon that each pixel may move.

The torch half is loaded on first use, so that faces can import masks and patches without it.
"""

from typing import TYPE_CHECKING, Any

from sip_explorer.salience.filling import flood_fill
from sip_explorer.salience.merging import MERGES, merged
from sip_explorer.salience.outline import boundary_runs
from sip_explorer.salience.patches import Patch, UndoHistory
from sip_explorer.salience.shapes import encircled, fill_box, fill_polygon, fill_region
from sip_explorer.salience.soft_brush import Coverage, blend
from sip_explorer.salience.soft_tip import SoftTip
from sip_explorer.salience.softness import harden, smooth, soften, threshold
from sip_explorer.salience.strokes import PROTECTED, Box, paint_dab, paint_segment, union_box
from sip_explorer.salience.superpixels import SuperpixelIndex, superpixels

if TYPE_CHECKING:
    from sip_explorer.salience.budgets import hard_budget, soft_budget, to_salience
    from sip_explorer.salience.gradcam import grad_cam
    from sip_explorer.salience.integratedgradients import integrated_gradients
    from sip_explorer.salience.layers import GradCamLayer, grad_cam_layers, layer_named

__all__ = [
    "MERGES",
    "PROTECTED",
    "Box",
    "Coverage",
    "GradCamLayer",
    "Patch",
    "SoftTip",
    "SuperpixelIndex",
    "UndoHistory",
    "blend",
    "boundary_runs",
    "encircled",
    "fill_box",
    "fill_polygon",
    "fill_region",
    "flood_fill",
    "grad_cam",
    "grad_cam_layers",
    "hard_budget",
    "harden",
    "integrated_gradients",
    "layer_named",
    "merged",
    "paint_dab",
    "paint_segment",
    "smooth",
    "soft_budget",
    "soften",
    "superpixels",
    "threshold",
    "to_salience",
    "union_box",
]

_TORCH_SIDE = {
    "hard_budget": "budgets",
    "soft_budget": "budgets",
    "to_salience": "budgets",
    "grad_cam": "gradcam",
    "integrated_gradients": "integratedgradients",
    "GradCamLayer": "layers",
    "grad_cam_layers": "layers",
    "layer_named": "layers",
}


def __getattr__(name: str) -> Any:
    if name in _TORCH_SIDE:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_TORCH_SIDE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
