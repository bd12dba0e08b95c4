"""The layers of a model that Grad-CAM can read: found by name, and listed for a choice."""

import difflib
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sip_explorer.records import SipError
from sip_explorer.salience.attribution import explained
from sip_explorer.salience.gradcam import LEAST_SIDE

_INSIDE = "network."  # a Classifier keeps the network there; people name a layer as its architecture does


class GradCamLayer(NamedTuple):
    """A layer by its name and what it puts out for one image: channels, and positions down and across."""

    name: str
    channels: int
    height: int
    width: int


def layer_named(model: nn.Module, name: str) -> nn.Module:
    """Return the module ``name`` of ``model`` ("network.layer4", or "layer4" as its architecture says).

    Raises
    ------
    SipError
        If there is no such layer; the sentence lists names that are near.
    """
    modules: dict[str, nn.Module] = {path: module for path, module in model.named_modules() if path}
    for path in (name, _INSIDE + name):
        if path in modules:
            return modules[path]
    short = [path.removeprefix(_INSIDE) for path in modules]
    near = difflib.get_close_matches(name.removeprefix(_INSIDE), short, n=3, cutoff=0.5)
    if near:
        advice = f"did you mean {' or '.join(near)}?"
    else:
        tops = list(dict.fromkeys(path.split(".")[0] for path in short if path != _INSIDE[:-1]))
        advice = f"its parts are {', '.join(tops[:12])}"
    raise SipError(f"The model has no layer named {name!r}; {advice}")


def grad_cam_layers(model: nn.Module, input_shape: tuple[int, int, int]) -> list[GradCamLayer]:
    """Return the ends of the model's stages: the last layer at each size of at least 4 x 4 positions.

    Any other layer of that size may be named as well; these are the ones worth offering. The last
    of the list is what `grad_cam` reads when no layer is given.

    Parameters
    ----------
    model
        Classifier over [0, 1] images; read once in eval mode, and left as it was.
    input_shape
        (C, H, W) of an image.

    Returns
    -------
    Layers from the image to the logits; empty where none is large enough.
    """
    tensors = [*model.parameters(), *model.buffers()]
    device = tensors[0].device if tensors else torch.device("cpu")
    last: dict[tuple[int, int], GradCamLayer] = {}

    def note(name: str, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) >= LEAST_SIDE:
            channels, height, width = output.shape[1:]
            last.pop((height, width), None)  # so that the order is that of the last ones
            last[height, width] = GradCamLayer(name, channels, height, width)

    handles = [
        # an enclosing module speaks after its last child, so a stage goes by its own, shorter name
        module.register_forward_hook(lambda _module, _inputs, output, name=name: note(name, output))
        for name, module in model.named_modules()
        if name
    ]
    try:
        with explained(model, device), torch.no_grad():
            model(torch.zeros(1, *input_shape, device=device))
    finally:
        for handle in handles:
            handle.remove()
    return [layer._replace(name=layer.name.removeprefix(_INSIDE)) for layer in last.values()]
