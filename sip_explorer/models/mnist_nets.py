"""The small networks that robustness papers train on 28 px digits, with their repositories' key names."""

from collections import OrderedDict

from torch import Tensor, nn


class TradesSmallCNN(nn.Module):
    """Four convolutions, three linear layers (Zhang et al. 2019, TRADES; arXiv 1901.08573).

    Parameters
    ----------
    channels, size, classes : int
        Channels of the input, its height and width (a multiple of 4, at least 16), number of logits.
    """

    def __init__(self, channels: int, size: int, classes: int) -> None:
        super().__init__()
        self.feature_extractor = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(channels, 32, 3),
                relu1=nn.ReLU(),
                conv2=nn.Conv2d(32, 32, 3),
                relu2=nn.ReLU(),
                maxpool1=nn.MaxPool2d(2),
                conv3=nn.Conv2d(32, 64, 3),
                relu3=nn.ReLU(),
                conv4=nn.Conv2d(64, 64, 3),
                relu4=nn.ReLU(),
                maxpool2=nn.MaxPool2d(2),
            )
        )
        side = ((size - 4) // 2 - 4) // 2
        self.classifier = nn.Sequential(
            OrderedDict(
                fc1=nn.Linear(64 * side**2, 200),
                relu1=nn.ReLU(),
                drop=nn.Dropout(0.5),
                fc2=nn.Linear(200, 200),
                relu2=nn.ReLU(),
                fc3=nn.Linear(200, classes),
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, size, size)."""
        logits: Tensor = self.classifier(self.feature_extractor(images).flatten(1))
        return logits


class TwoConvolutions(nn.Module):
    """Two convolutions and two linear layers: ``conv1``, ``conv2``, ``linear1``, ``linear2``.

    With ``kernel`` 5 and 1,024 ``hidden`` units the network of Madry et al. 2018 (arXiv 1706.06083), in
    advertorch ``LeNet5Madry``; with 3 and 200 advertorch's ``LeNet5``.

    Parameters
    ----------
    channels, size, classes : int
        Channels of the input, its height and width (a multiple of 4), number of logits.
    kernel, hidden : int
        Side of the convolutions, odd; units of the first linear layer.
    """

    def __init__(self, channels: int, size: int, classes: int, *, kernel: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 32, kernel, padding=kernel // 2)
        self.relu1 = nn.ReLU()
        self.maxpool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 64, kernel, padding=kernel // 2)
        self.relu2 = nn.ReLU()
        self.maxpool2 = nn.MaxPool2d(2)
        self.linear1 = nn.Linear(64 * (size // 4) ** 2, hidden)
        self.relu3 = nn.ReLU()
        self.linear2 = nn.Linear(hidden, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, size, size)."""
        features = self.maxpool1(self.relu1(self.conv1(images)))
        features = self.maxpool2(self.relu2(self.conv2(features)))
        logits: Tensor = self.linear2(self.relu3(self.linear1(features.flatten(1))))
        return logits


class LeNet5(nn.Module):
    """LeCun et al. 1998 with ReLU and maxima, as usually taught: ``conv1``, ``conv2``, ``fc1`` to ``fc3``.

    Parameters
    ----------
    channels, size, classes : int
        Channels of the input, its height and width (a multiple of 4, at least 16), number of logits.
    padding : int
        Of the first convolution: 0, or 2, with which a digit of 28 px is as large as one of 32.
    """

    def __init__(self, channels: int, size: int, classes: int, *, padding: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=padding)
        self.relu1 = nn.ReLU()
        self.maxpool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.relu2 = nn.ReLU()
        self.maxpool2 = nn.MaxPool2d(2)
        side = ((size + 2 * padding - 4) // 2 - 4) // 2
        self.fc1 = nn.Linear(16 * side**2, 120)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(120, 84)
        self.relu4 = nn.ReLU()
        self.fc3 = nn.Linear(84, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, size, size)."""
        features = self.maxpool1(self.relu1(self.conv1(images)))
        features = self.maxpool2(self.relu2(self.conv2(features)))
        features = self.relu4(self.fc2(self.relu3(self.fc1(features.flatten(1)))))
        logits: Tensor = self.fc3(features)
        return logits


def fast_at_cnn(channels: int, size: int, classes: int) -> nn.Sequential:
    """Return Fast-AT's network for digits (Wong et al. 2020, arXiv 2001.03994), whose keys are numbers.

    Wong & Kolter 2018 (arXiv 1711.00851) and many works on certified robustness train the same.

    Parameters
    ----------
    channels, size, classes : int
        Channels of the input, its height and width (a multiple of 4), number of logits.
    """
    return nn.Sequential(
        nn.Conv2d(channels, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * (size // 4) ** 2, 100),
        nn.ReLU(),
        nn.Linear(100, classes),
    )
