"""Networks by name: three families of our own and every image classifier of torchvision."""

from collections.abc import Sequence

import torch
from torch import nn

from sip_explorer.models.catalogue import CIFAR_RESNETS, SMALL_CNN, TINY_CNN, fingerprints
from sip_explorer.models.classifier import Classifier
from sip_explorer.models.small_cnn import SmallCNN, TinyCNN
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
        small-cnn takes square images whose side is a multiple of 4; torchvision's take C = 3.
    mean, std : sequence of C floats
        The normalisation, in units of the [0, 1] image.
    seed : int, optional
        Makes the weights repeatable and leaves the global random state alone.

    Raises
    ------
    SipError
        If the name is unknown or the input does not fit it.
    """
    if architecture in fingerprints():
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
    channels, height, width = input_shape
    if architecture == SMALL_CNN:
        if height != width or height % 4 or height < 4:
            raise SipError(
                f"small-cnn takes square images whose side is a multiple of 4, not {height} × {width}; "
                "choose another architecture or resize the images."
            )
        return SmallCNN(channels, height, classes)
    if architecture == TINY_CNN:
        if height != width or height < 8:
            raise SipError(
                f"tiny-cnn takes square images of at least 8 pixels, not {height} × {width}; "
                "choose another architecture or resize the images."
            )
        return TinyCNN(channels, height, classes)
    if architecture in CIFAR_RESNETS:
        network = _cifar_resnet(architecture, channels, classes)
    elif architecture in fingerprints():
        if channels != 3:
            raise SipError(
                f"{architecture} takes colour images, not {channels} channels; "
                "choose small-cnn or a resnet-cifar, or import the images in colour."
            )
        network = _torchvision(architecture, (height, width), classes)
    else:
        raise SipError(
            f"There is no architecture named {architecture!r}; take {SMALL_CNN}, {TINY_CNN}, "
            f"{', '.join(CIFAR_RESNETS)} or a name of torchvision such as resnet50."
        )
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return network


def _cifar_resnet(architecture: str, channels: int, classes: int) -> nn.Module:
    from torchvision.models import resnet  # a second to import, and our own small networks need none of it

    # torchvision's ResNet (its key names too) with the stem that He et al. 2015 use for 32 px images.
    block = resnet.Bottleneck if architecture == "resnet50-cifar" else resnet.BasicBlock
    network = resnet.ResNet(block, list(CIFAR_RESNETS[architecture]), num_classes=classes)
    network.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    return network  # type: ignore[no-any-return]


def _torchvision(architecture: str, size: tuple[int, int], classes: int) -> nn.Module:
    import torchvision

    options: dict[str, object] = {"num_classes": classes}
    if architecture in ("inception_v3", "googlenet"):
        options |= {"aux_logits": False, "init_weights": True}
    elif architecture.startswith("vit_"):
        options["image_size"] = size[0]
    elif architecture == "maxvit_t":
        options["input_size"] = size
    try:
        network: nn.Module = torchvision.models.get_model(architecture, weights=None, **options)
    except (AssertionError, ValueError) as error:
        raise _misfit(architecture, size) from error
    return network


def _check_input(architecture: str, input_shape: tuple[int, int, int], classes: int) -> None:
    """Pass an image without data through the network: some fail on sizes they were not made for."""
    try:
        with torch.device("meta"), torch.no_grad():
            build_network(architecture, input_shape, classes).eval()(torch.empty(1, *input_shape))
    except NotImplementedError:  # RegNet computes its widths with tensors; it takes every size
        return
    except (RuntimeError, AssertionError, ValueError) as error:
        raise _misfit(architecture, input_shape[1:]) from error


def _misfit(architecture: str, size: tuple[int, int]) -> SipError:
    return SipError(
        f"{architecture} cannot take images of {size[0]} × {size[1]} pixels; resize them to "
        f"{fingerprints()[architecture].size} × {fingerprints()[architecture].size}, or choose another "
        "architecture."
    )
