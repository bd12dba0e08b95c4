"""Pre-activation ResNet-18 for 32 px images, with the key names of Kuang Liu's that Fast-AT and AWP use.

He et al. 2016 (arXiv 1603.05027). Repositories differ in two things, and the second leaves no trace in
the keys: whether batch normalisation and ReLU follow the last block, and whether the convolution in a
shortcut reads the block's input after its activation (Kuang Liu; Rice et al. 2020; AWP) or before it
(Fast-AT, Wong et al. 2020).
"""

from torch import Tensor, nn


class PreActResNet18(nn.Module):
    """``conv1``, ``layer1`` to ``layer4`` of two blocks each, ``bn`` where it is there, ``linear``.

    Parameters
    ----------
    channels, classes : int
        Channels of the input, number of logits.
    last_norm : bool
        Whether batch normalisation and ReLU follow the last block.
    raw_shortcut : bool
        Whether the shortcuts' convolutions read the block's input before its activation.
    """

    def __init__(self, channels: int, classes: int, *, last_norm: bool, raw_shortcut: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        self.layer1 = _layer(64, 64, 1, raw_shortcut)
        self.layer2 = _layer(64, 128, 2, raw_shortcut)
        self.layer3 = _layer(128, 256, 2, raw_shortcut)
        self.layer4 = _layer(256, 512, 2, raw_shortcut)
        if last_norm:
            self.bn = nn.BatchNorm2d(512)
            self.relu = nn.ReLU()
        self.linear = nn.Linear(512, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, H, W)."""
        features = self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(images)))))
        if hasattr(self, "bn"):
            features = self.relu(self.bn(features))
        logits: Tensor = self.linear(features.mean((2, 3)))
        return logits


class _Block(nn.Module):
    def __init__(self, channels: int, wider: int, stride: int, raw_shortcut: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, wider, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(wider)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(wider, wider, 3, padding=1, bias=False)
        self.raw_shortcut = raw_shortcut
        if stride != 1 or channels != wider:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, wider, 1, stride=stride, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        active = self.relu1(self.bn1(features))
        shortcut = features
        if hasattr(self, "shortcut"):
            shortcut = self.shortcut(features if self.raw_shortcut else active)
        result: Tensor = shortcut + self.conv2(self.relu2(self.bn2(self.conv1(active))))
        return result


def _layer(channels: int, wider: int, stride: int, raw_shortcut: bool) -> nn.Sequential:
    return nn.Sequential(_Block(channels, wider, stride, raw_shortcut), _Block(wider, wider, 1, raw_shortcut))
