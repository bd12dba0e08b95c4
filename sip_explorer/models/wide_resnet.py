"""Wide residual networks for 32 px images, with the key names of TRADES and RobustBench.

Zagoruyko & Komodakis 2016 (arXiv 1605.07146): batch normalisation and ReLU before each convolution,
three groups of (depth − 4) / 6 blocks, 16·width, 32·width and 64·width channels.
"""

import math

from torch import Tensor, nn


class WideResNet(nn.Module):
    """WRN-depth-width: ``conv1``, ``block1`` to ``block3``, ``bn1``, ``fc``.

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
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.block1 = _Group(blocks, 16, 16 * width, 1)
        self.block2 = _Group(blocks, 16 * width, 32 * width, 2)
        self.block3 = _Group(blocks, 32 * width, 64 * width, 2)
        self.bn1 = nn.BatchNorm2d(64 * width)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(64 * width, classes)
        for module in self.modules():  # the weights that TRADES begins with
            if isinstance(module, nn.Conv2d):
                fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                nn.init.normal_(module.weight, 0.0, math.sqrt(2 / fan_out))
        nn.init.zeros_(self.fc.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, H, W)."""
        features = self.block3(self.block2(self.block1(self.conv1(images))))
        logits: Tensor = self.fc(self.relu(self.bn1(features)).mean((2, 3)))
        return logits


class _Group(nn.Module):
    """Blocks of one resolution; ``layer`` is part of the key names."""

    def __init__(self, blocks: int, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            _Block(channels, wider, stride), *(_Block(wider, wider, 1) for _ in range(blocks - 1))
        )

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.layer(features)
        return result


class _Block(nn.Module):
    """Two convolutions; where the width changes, the shortcut too begins after the first activation."""

    def __init__(self, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, wider, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(wider)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(wider, wider, 3, padding=1, bias=False)
        if channels != wider:
            self.convShortcut = nn.Conv2d(channels, wider, 1, stride=stride, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        active = self.relu1(self.bn1(features))
        shortcut = self.convShortcut(active) if hasattr(self, "convShortcut") else features
        result: Tensor = shortcut + self.conv2(self.relu2(self.bn2(self.conv1(active))))
        return result
