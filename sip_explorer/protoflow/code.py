"""What an image becomes in a flow, and how far the way back is exact."""

import math
from dataclasses import dataclass

from torch import Tensor

from sip_explorer.records import SipError


@dataclass(frozen=True)
class Code:
    """An encoded batch: everything that `ProtoFlow.decode` needs to give the images back.

    Attributes
    ----------
    z : latent (N, C, H, W).
    halves : factored-out noise of each ``factor`` stage, (N, C', H', W') each; N(0, I) under the
        model. None where only the latent is known: decoding then draws them.
    u : dequantisation noise in [0, 1), (N, C, H, W) of the image, or None.
    eta : noise that DenseFlow's couplings joined; None in our own family. Decoding drops it.
    log_det : nats (N,), with dequantisation and the halves' prior: log p(x|c) = log_det + log p(z|c).
    """

    z: Tensor
    halves: tuple[Tensor, ...] | None = None
    u: Tensor | None = None
    eta: tuple[Tensor, ...] | None = None
    log_det: Tensor | None = None

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, rows: slice) -> "Code":
        """Return the code of a slice of the images."""
        return Code(
            self.z[rows],
            None if self.halves is None else tuple(half[rows] for half in self.halves),
            None if self.u is None else self.u[rows],
            None if self.eta is None else tuple(part[rows] for part in self.eta),
            None if self.log_det is None else self.log_det[rows],
        )


@dataclass(frozen=True)
class RoundTrip:
    """Measured distance between 8-bit images and decode(encode(image)), before rounding.

    ``error`` is the largest, in levels of 255: under 0.5 every image comes back bit for bit.
    ``precision`` ("float32" or "float64") is what codes are computed in from now on, ``images``
    how many were tried, each with u drawn and at both its edges, ``float32_error`` what float32 reached.
    """

    error: float
    precision: str
    images: int
    float32_error: float

    @property
    def exact(self) -> bool:
        """Whether every tried image came back bit for bit."""
        return self.error < 0.5

    def __str__(self) -> str:
        outcome = "bit for bit" if self.exact else "NOT exactly"
        return (
            f"{self.images} images came back {outcome} in {self.precision}; "
            f"largest error {self.error:.1e} of a level"
        )


@dataclass(frozen=True)
class LogLikelihood:
    """Log-likelihood of 8-bit images, in nats unless named otherwise.

    ``per_class`` is log p(x|c), (N, C); ``total`` log p(x) with equal class priors, (N,);
    ``bits_per_dimension`` −total/(D ln 2), (N,); ``bits_per_dimension_best_class`` the same with the
    largest class instead of the mixture (the ProtoFlow authors' convention, optimistic by at most
    ln C/(D ln 2)).
    """

    per_class: Tensor
    total: Tensor
    bits_per_dimension: Tensor
    bits_per_dimension_best_class: Tensor


def checked_temperature(temperature: float) -> float:
    """Return the temperature; SipError where it is negative or no number."""
    if not 0 <= temperature < math.inf:
        raise SipError(f"The temperature is {temperature}; choose a number of at least 0.")
    return float(temperature)
