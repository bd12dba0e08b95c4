"""The networks of torchvision and timm, built; the libraries are imported when one is asked for."""

import warnings
from typing import Any

from torch import nn

from sip_explorer.models.fingerprints import TIMM_PREFIX, fingerprint_of
from sip_explorer.records import SipError


def build_theirs(architecture: str, input_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Return a network of torchvision or, after ``timm/``, of timm with fresh weights.

    Raises
    ------
    SipError
        If it cannot take such images.
    """
    try:
        if architecture.startswith(TIMM_PREFIX):
            return _timm(architecture, input_shape, classes)
        return _torchvision(architecture, input_shape, classes)
    except (AssertionError, ValueError, TypeError) as error:
        raise misfit(architecture, input_shape) from error


def misfit(architecture: str, input_shape: tuple[int, int, int]) -> SipError:
    """Return the sentence for images that a network of a library does not take."""
    known = fingerprint_of(architecture)
    assert known is not None
    channels, height, width = input_shape
    if channels != 3 and not known.traits.stem:
        return SipError(
            f"{architecture} takes colour images, not {channels} channels; "
            "choose small-cnn or a resnet-cifar, or import the images in colour."
        )
    return SipError(
        f"{architecture} cannot take images of {height} × {width} pixels; resize them to "
        f"{known.size} × {known.size}, or choose another architecture."
    )


def _torchvision(architecture: str, input_shape: tuple[int, int, int], classes: int) -> nn.Module:
    import torchvision

    channels, height, width = input_shape
    options: dict[str, object] = {"num_classes": classes}
    if architecture in ("inception_v3", "googlenet"):
        options |= {"aux_logits": False, "init_weights": True}
    elif architecture.startswith("vit_"):
        options["image_size"] = height
    elif architecture == "maxvit_t":
        options["input_size"] = (height, width)
    network: nn.Module = torchvision.models.get_model(architecture, weights=None, **options)
    if channels != 3:
        _take_channels(architecture, network, channels)
    return network


def _take_channels(architecture: str, network: nn.Module, channels: int) -> None:
    """Replace the first convolution by one of so many channels."""
    known = fingerprint_of(architecture)
    assert known is not None
    place, _, name = known.traits.stem[0].removesuffix(".weight").rpartition(".")
    parent = network.get_submodule(place)
    old = getattr(parent, name)
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,
        stride=old.stride,
        padding=old.padding,
        bias=old.bias is not None,
    )
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    setattr(parent, name, new)


def _timm(architecture: str, input_shape: tuple[int, int, int], classes: int) -> nn.Module:
    with warnings.catch_warnings():  # of timm's own deprecated names
        warnings.simplefilter("ignore", FutureWarning)
        import timm

    known = fingerprint_of(architecture)
    assert known is not None
    channels, height, width = input_shape
    if channels != 3 and not known.traits.stem:
        raise misfit(architecture, input_shape)
    options: dict[str, Any] = {"num_classes": classes}
    if channels != 3:
        options["in_chans"] = channels
    if known.resizable and (height, width) != (known.size, known.size):
        options["img_size"] = (height, width)
    name = architecture.removeprefix(TIMM_PREFIX)
    network: nn.Module = timm.create_model(name, pretrained=False, **options)
    return network
