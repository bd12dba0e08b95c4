"""Networks by name: our own, and the image classifiers of torchvision and timm."""

from collections.abc import Sequence

import torch
from torch import nn

from sip_explorer.models.classifier import Classifier
from sip_explorer.models.fingerprints import fingerprint_of
from sip_explorer.models.library_building import build_theirs, misfit
from sip_explorer.models.own_building import build_own
from sip_explorer.models.own_networks import OWN
from sip_explorer.records import SipError


def build_classifier(
    architecture: str,
    *,
    classes: Sequence[str],
    input_shape: tuple[int, int, int],
    mean: Sequence[float],
    std: Sequence[float],
    seed: int | None = None,
) -> Classifier:
    """Return a classifier with fresh weights, in training mode.

    Parameters
    ----------
    architecture : str
        A name of `architecture_names`.
    classes : sequence of str
        One name per logit, at least two.
    input_shape : (C, H, W)
        small-cnn and the networks for digits take square images whose side is a multiple of 4; others
        take what their layers can.
    mean, std : sequence of C floats
        The normalisation, in units of the [0, 1] image.
    seed : int, optional
        Makes the weights repeatable and leaves the global random state alone.

    Raises
    ------
    SipError
        If the name is unknown or the input does not fit it.
    """
    if architecture not in OWN and fingerprint_of(architecture):
        _check_input(architecture, input_shape, len(classes))
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)  # not those of the GPUs
        network = build_network(architecture, input_shape, len(classes))
    return Classifier(
        network, architecture=architecture, classes=classes, input_shape=input_shape, mean=mean, std=std
    )


def build_network(architecture: str, input_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Return the bare network: normalised images (N, C, H, W) in, logits (N, classes) out.

    Activation layers never work in place, so a hook sees what a layer put out (but for the last
    ReLU of a DenseNet, a function that works on the output of ``features``). Raises `SipError` like
    `build_classifier`.
    """
    if classes < 2:
        raise SipError(f"A classifier needs two classes or more, not {classes}; name more of them.")
    if architecture in OWN:
        network = build_own(architecture, input_shape, classes)
    elif fingerprint_of(architecture):
        network = build_theirs(architecture, input_shape, classes)
    else:
        raise SipError(
            f"There is no architecture named {architecture!r}; take one of ours such as {next(iter(OWN))}, "
            "a name of torchvision such as resnet50, or one of timm such as timm/convit_tiny."
        )
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return network


def hollow_network(architecture: str, input_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Return the network of `build_network` for weights that come from a file.

    Its parameters are without memory (on the meta device) where it can be built so: not where it keeps
    numbers that no state dict has, or computes its widths with tensors.
    """
    try:
        with torch.device("meta"):
            network = build_network(architecture, input_shape, classes)
    except NotImplementedError:
        return build_network(architecture, input_shape, classes)
    kept = network.state_dict().keys()
    if any(name not in kept for name, _ in network.named_buffers()):
        return build_network(architecture, input_shape, classes)
    return network


def _check_input(architecture: str, input_shape: tuple[int, int, int], classes: int) -> None:
    """Pass an image without data through the network: some fail on sizes they were not made for."""
    try:
        with torch.device("meta"), torch.no_grad():
            build_network(architecture, input_shape, classes).eval()(torch.empty(1, *input_shape))
    except NotImplementedError:  # RegNet computes its widths with tensors; it takes every size
        return
    except (RuntimeError, AssertionError, ValueError) as error:
        if isinstance(error, RuntimeError) and "meta" in str(error):  # it looks at numbers on its way
            return
        raise misfit(architecture, input_shape) from error
