"""Residual networks with the swish activation and the key names of DeepMind's adversarial training.

Gowal et al. 2020 (arXiv 2010.03593), Rebuffi et al. 2021 (2103.01946); Wang et al. 2023 (2302.04638) train
the same. Their weights were converted from JAX: a convolution with stride 2 pads below and to the right
alone, as "SAME" does there. Written anew from the key names and that rule.
"""

from torch import Tensor, nn
from torch.nn import functional


class SwishWideResNet(nn.Module):
    """WRN-depth-width: ``init_conv``, three groups in ``layer``, ``batchnorm``, ``logits``.

    Parameters
    ----------
    depth : int
        4 more than a multiple of 6.
    width : int
        How many times as many channels as a plain residual network has.
    channels, classes : int
        Channels of the input, number of logits.
    """

    def __init__(self, depth: int, width: int, channels: int, classes: int) -> None:
        super().__init__()
        blocks = (depth - 4) // 6
        self.init_conv = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.layer = nn.Sequential(
            _Group(blocks, 16, 16 * width, 1),
            _Group(blocks, 16 * width, 32 * width, 2),
            _Group(blocks, 32 * width, 64 * width, 2),
        )
        self.batchnorm = nn.BatchNorm2d(64 * width)
        self.relu = nn.SiLU()
        self.logits = nn.Linear(64 * width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, H, W)."""
        features = self.relu(self.batchnorm(self.layer(self.init_conv(images))))
        logits: Tensor = self.logits(features.mean((2, 3)))
        return logits


class SwishPreActResNet18(nn.Module):
    """Pre-activation ResNet-18: ``conv_2d``, ``layer_0`` to ``layer_3``, ``batchnorm``, ``logits``.

    Parameters
    ----------
    channels, classes : int
        Channels of the input, number of logits.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv_2d = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        self.layer_0 = nn.Sequential(_PreActBlock(64, 64, 1), _PreActBlock(64, 64, 1))
        self.layer_1 = nn.Sequential(_PreActBlock(64, 128, 2), _PreActBlock(128, 128, 1))
        self.layer_2 = nn.Sequential(_PreActBlock(128, 256, 2), _PreActBlock(256, 256, 1))
        self.layer_3 = nn.Sequential(_PreActBlock(256, 512, 2), _PreActBlock(512, 512, 1))
        self.batchnorm = nn.BatchNorm2d(512)
        self.relu = nn.SiLU()
        self.logits = nn.Linear(512, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, H, W)."""
        features = self.layer_1(self.layer_0(self.conv_2d(images)))
        features = self.relu(self.batchnorm(self.layer_3(self.layer_2(features))))
        logits: Tensor = self.logits(features.mean((2, 3)))
        return logits


class _Group(nn.Module):
    """Blocks of one resolution; ``block`` is part of the key names."""

    def __init__(self, blocks: int, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            _WideBlock(channels, wider, stride), *(_WideBlock(wider, wider, 1) for _ in range(blocks - 1))
        )

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.block(features)
        return result


class _WideBlock(nn.Module):
    """Two convolutions; where the width changes, the shortcut too begins after the first activation."""

    def __init__(self, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.batchnorm_0 = nn.BatchNorm2d(channels)
        self.relu_0 = nn.SiLU()
        self.conv_0 = nn.Conv2d(channels, wider, 3, stride=stride, bias=False)
        self.batchnorm_1 = nn.BatchNorm2d(wider)
        self.relu_1 = nn.SiLU()
        self.conv_1 = nn.Conv2d(wider, wider, 3, padding=1, bias=False)
        if channels != wider:
            self.shortcut = nn.Conv2d(channels, wider, 1, stride=stride, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        active = self.relu_0(self.batchnorm_0(features))
        shortcut = self.shortcut(active) if hasattr(self, "shortcut") else features
        inner = self.relu_1(self.batchnorm_1(self.conv_0(_padded(active, self.conv_0.stride[0]))))
        result: Tensor = shortcut + self.conv_1(inner)
        return result


class _PreActBlock(nn.Module):
    """Two convolutions; the shortcut is a third one of 3 × 3, before the activation."""

    def __init__(self, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.batchnorm_0 = nn.BatchNorm2d(channels)
        self.relu_0 = nn.SiLU()
        self.conv_2d_1 = nn.Conv2d(channels, wider, 3, stride=stride, bias=False)
        self.batchnorm_1 = nn.BatchNorm2d(wider)
        self.relu_1 = nn.SiLU()
        self.conv_2d_2 = nn.Conv2d(wider, wider, 3, padding=1, bias=False)
        if stride != 1 or channels != wider:
            self.shortcut = nn.Conv2d(channels, wider, 3, stride=stride, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        stride = self.conv_2d_1.stride[0]
        active = self.relu_0(self.batchnorm_0(features))
        inner = self.relu_1(self.batchnorm_1(self.conv_2d_1(_padded(active, stride))))
        shortcut = self.shortcut(_padded(features, stride)) if hasattr(self, "shortcut") else features
        result: Tensor = shortcut + self.conv_2d_2(inner)
        return result


def _padded(features: Tensor, stride: int) -> Tensor:
    """Pad (left, right, top, bottom) for a convolution of 3 × 3 as JAX's "SAME" does on even sides."""
    return functional.pad(features, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))
