"""The networks of `OWN`, built."""

from torch import nn

from sip_explorer.models.mnist_nets import LeNet5, TradesSmallCNN, TwoConvolutions, fast_at_cnn
from sip_explorer.models.own_networks import (
    CIFAR_RESNETS,
    DIGIT_NETS,
    PREACT_RESNETS,
    SMALL_CNN,
    SWISH_PREACT,
    SWISH_WIDE_RESNETS,
    TINY_CNN,
    WIDE_RESNETS,
)
from sip_explorer.models.preact_resnet import PreActResNet18
from sip_explorer.models.small_cnn import SmallCNN, TinyCNN
from sip_explorer.models.swish_networks import SwishPreActResNet18, SwishWideResNet
from sip_explorer.models.wide_resnet import WideResNet
from sip_explorer.records import SipError

_SMALLEST = 16  # pixels that convolutions without padding leave something of


def build_own(name: str, input_shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Return a network of `OWN` with fresh weights; `SipError` where the images do not fit it."""
    channels, height, width = input_shape
    if name in CIFAR_RESNETS:
        return _cifar_resnet(name, channels, classes)
    if name in PREACT_RESNETS:
        last_norm, raw_shortcut = PREACT_RESNETS[name]
        return PreActResNet18(channels, classes, last_norm=last_norm, raw_shortcut=raw_shortcut)
    if name in WIDE_RESNETS:
        return WideResNet(*WIDE_RESNETS[name], channels, classes)
    if name in SWISH_WIDE_RESNETS:
        return SwishWideResNet(*SWISH_WIDE_RESNETS[name], channels, classes)
    if name == SWISH_PREACT:
        return SwishPreActResNet18(channels, classes)
    if name == TINY_CNN:
        if height != width or height < 8:
            raise _not_square(name, "of at least 8 pixels", height, width)
        return TinyCNN(channels, height, classes)
    smallest = _SMALLEST if name in DIGIT_NETS else 4
    if height != width or height % 4 or height < smallest:
        raise _not_square(name, "whose side is a multiple of 4", height, width)
    if name == SMALL_CNN:
        return SmallCNN(channels, height, classes)
    return _digit_net(name, channels, height, classes)


def _digit_net(name: str, channels: int, size: int, classes: int) -> nn.Module:
    if name == "smallcnn-trades":
        return TradesSmallCNN(channels, size, classes)
    if name == "lenet5-madry":
        return TwoConvolutions(channels, size, classes, kernel=5, hidden=1024)
    if name == "lenet5-advertorch":
        return TwoConvolutions(channels, size, classes, kernel=3, hidden=200)
    if name == "cnn-fast-at":
        return fast_at_cnn(channels, size, classes)
    return LeNet5(channels, size, classes, padding=2 if name == "lenet5-padded" else 0)


def _not_square(name: str, which: str, height: int, width: int) -> SipError:
    return SipError(
        f"{name} takes square images {which}, not {height} × {width}; "
        "choose another architecture or resize the images."
    )


def _cifar_resnet(name: str, channels: int, classes: int) -> nn.Module:
    from torchvision.models import resnet  # a second to import, and our own small networks need none of it

    # torchvision's ResNet (its key names too) with the stem that He et al. 2015 use for 32 px images.
    block = resnet.Bottleneck if name == "resnet50-cifar" else resnet.BasicBlock
    network = resnet.ResNet(block, list(CIFAR_RESNETS[name]), num_classes=classes)
    network.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    return network  # type: ignore[no-any-return]
