"""Small convolutional networks for 28 and 32 px images, quick enough to train adversarially on a CPU."""

from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Four convolutions, two of them with stride 2, then two linear layers; ReLU between all.

    It has no batch statistics, so its logits for an image never depend on the other images of a
    batch, in training mode either.

    Parameters
    ----------
    channels : int
        Channels of the input.
    size : int
        Height and width of the input, a multiple of 4.
    classes : int
        Number of logits.
    width : int
        Channels after the first convolution; twice as many after the others.
    """

    def __init__(self, channels: int, size: int, classes: int, width: int = 32) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(2 * width * (size // 4) ** 2, 100),
            nn.ReLU(),
            nn.Linear(100, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, size, size)."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


class TinyCNN(nn.Module):
    """Three convolutions with stride 2 and a linear layer; ReLU between all, no batch statistics.

    A third of the work of `SmallCNN`: for experiments of many runs. Parameters as there, but that ``size``
    is any of at least 8 and the width doubles with every convolution.
    """

    def __init__(self, channels: int, size: int, classes: int, width: int = 32) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        side = -(-size // 8)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(4 * width * side**2, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised ``images`` (N, channels, size, size)."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
