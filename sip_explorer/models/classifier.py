"""A classifier: a network with its normalisation inside, its class names and its input size."""

from collections.abc import Sequence
from math import inf, isfinite

import torch
from torch import Tensor, nn

from sip_explorer.models.normalisation import describe
from sip_explorer.records import SipError


class Classifier(nn.Module):
    """Images in [0, 1] in, logits out; everything the network needs beside its weights is here.

    Parameters
    ----------
    network : nn.Module
        Takes normalised images (N, C, H, W) and returns logits (N, classes).
    architecture : str
        A name of `architecture_names`.
    classes : sequence of str
        One name per logit.
    input_shape : (C, H, W)
        The image size that the network was made for.
    mean, std : sequence of C floats
        The normalisation (x - mean) / std, in units of the [0, 1] image.
    origin : dict of str, optional
        Where the weights come from and what was assumed about them, for people.

    Attributes
    ----------
    mean, std : Tensor of shape (1, C, 1, 1)
        Buffers, so they move with the module and are never trained.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        architecture: str,
        classes: Sequence[str],
        input_shape: tuple[int, int, int],
        mean: Sequence[float],
        std: Sequence[float],
        origin: dict[str, str] | None = None,
    ) -> None:
        super().__init__()
        channels = input_shape[0]
        if len(mean) != channels or len(std) != channels:
            raise SipError(
                f"The normalisation has {len(mean)} means and {len(std)} deviations for {channels} channels; "
                "give one of each per channel."
            )
        if not all(isfinite(value) for value in mean) or not all(0 < value < inf for value in std):
            raise SipError(
                f"The normalisation (x − {list(mean)}) / {list(std)} cannot be computed; "
                "give finite means and standard deviations above 0."
            )
        self.network = network
        self.architecture = architecture
        self.classes = tuple(classes)
        self.input_shape = input_shape
        self.origin = dict(origin or {})
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, channels, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, channels, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes) of ``images`` (N, C, H, W) in [0, 1].

        Logits are at least float32, also under autocast, so that a loss is computed in float32.
        """
        logits: Tensor = self.network((images - self.mean) / self.std)
        return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits

    @property
    def normalisation(self) -> str:
        """The normalisation in words, for people."""
        return describe(self.mean.flatten().tolist(), self.std.flatten().tolist())
