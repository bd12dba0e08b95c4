"""ProtoFlow: an invertible classifier whose prototypes are Gaussians in its latent space.

Carmichael et al. 2024 (arXiv 2407.12200) on a multi-scale flow of our own (Glow's layers).
"""

import copy
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sip_explorer.protoflow import noise
from sip_explorer.protoflow.code import Code, LogLikelihood, RoundTrip, checked_temperature
from sip_explorer.protoflow.config import FlowConfig
from sip_explorer.protoflow.mixture import MixtureHead
from sip_explorer.protoflow.multiscale import MultiScaleFlow, Transformed
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.records import SipError


class ProtoFlow(MultiScaleFlow):
    """A flow, a mixture per class, and the names that people read.

    Images are float32 NCHW in [0, 1]. ``forward`` returns log p(z|c), (N, classes): class scores.
    ``origin`` says where it came from, ``round_trip`` what `measure_round_trip` found (None before).
    ``probe`` holds a few uint8 training images (n, C, H, W) for that measurement.
    """

    probe: Tensor

    def __init__(
        self, config: FlowConfig, classes: Sequence[str], origin: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(config)
        if not classes:
            raise SipError("A ProtoFlow needs at least one class; give the classes' names.")
        self.classes = tuple(str(name) for name in classes)
        self.origin = dict(origin or {})
        self.round_trip: RoundTrip | None = None
        self.mixture = MixtureHead(len(self.classes), config.components, math.prod(self.latent_shape))
        self.register_buffer("probe", torch.zeros((0, *self.input_shape), dtype=torch.uint8))

    # -- images and codes ------------------------------------------------------------------------

    def dequantisation_noise(self, seed: int = 0) -> Tensor:
        """Return the u in [0, 1) of a seed, (1, C, H, W): one pattern for every image."""
        return noise.uniform(self.input_shape, seed, noise.DEQUANTISATION, [0]).to(self._device())

    def dequantise(self, images: Tensor, u: Tensor) -> Tensor:
        """Return v = (255·x + u)/256, differentiable in x."""
        return (255 * images + u) / 256

    def encode(
        self, images: Tensor, seed: int = 0, *, quantised: bool = True, u: Tensor | None = None
    ) -> Code:
        """Encode images.

        Parameters
        ----------
        images : float NCHW in [0, 1].
        seed : of the dequantisation noise; an image's code does not depend on its batch.
        quantised : True rounds to 8 bits, and `decode` gives these bits back; no gradient. False
            takes the values as they are and is differentiable, for attacks.
        u : noise in [0, 1], broadcastable to the images, in place of the seed's.
        """
        self._check(images)
        if u is None:
            u = self.dequantisation_noise(seed)
        images, u = images.to(self._device()), u.to(self._device()).expand(len(images), -1, -1, -1)
        if not quantised:
            return _code(self.transform(self.dequantise(images, u)), u)
        with torch.no_grad():
            flow = self._exact()
            levels = (images.float() * 255).round().clamp(0, 255).to(flow._device(), flow._dtype())
            u = u.to(levels)
            return _code(flow.transform((levels + u) / 256), u)

    def decode_raw(
        self,
        code: Code | Tensor,
        temperature: float | None = None,
        seed: int = 0,
        indices: Sequence[int] | None = None,
    ) -> Tensor:
        """Return images before rounding to 8 bits (about [0, 1]); differentiable in the latent.

        Halves that the code holds are kept, unless a temperature asks for new ones. Drawn halves
        are T·ξ (T = 0 where no temperature is given), ξ of row i keyed by (seed, indices[i]), by
        default the row number.
        """
        if isinstance(code, Tensor):
            code = Code(code.reshape(-1, *self.latent_shape))
        flow = self._twin() if code.z.dtype == torch.float64 else self
        halves = code.halves
        if halves is None or temperature is not None:
            rows = range(len(code)) if indices is None else indices
            scale = checked_temperature(0.0 if temperature is None else temperature)
            halves = tuple(
                scale * noise.normal(shape, seed, noise.HALVES, rows, part).to(code.z)
                for part, shape in enumerate(self.halves_shapes)
            )
        levels = 256 * flow.inverse(code.z, halves) - (0.5 if code.u is None else code.u)
        return levels / 255

    @torch.no_grad()
    def decode(
        self,
        code: Code | Tensor,
        temperature: float | None = None,
        seed: int = 0,
        indices: Sequence[int] | None = None,
    ) -> Tensor:
        """Return images of 8-bit values, float32 NCHW in [0, 1]; arguments as in `decode_raw`.

        The images of `encode` come back bit for bit: with u the level is round(256·v − u), without
        it floor(256·v).
        """
        levels = self.decode_raw(code, temperature, seed, indices) * 255
        return (levels.round().clamp(0, 255) / 255).float()

    def measure_round_trip(self, images: Tensor | None = None) -> RoundTrip:
        """Encode and decode images (the probe and noise if None) and keep what was found.

        Also tried is u at its edges, 1e-6 and 1 − 1e-6. Where float32 errs by more than 0.05 of a
        level, codes are computed in float64 from then on.
        """
        if images is None:
            static = noise.uniform(self.input_shape, 0, noise.DEQUANTISATION, range(1, 5)).to(self._device())
            images = torch.cat((self.probe.to(self._device()).float() / 255, (255 * static).round() / 255))
        self.round_trip = None
        single = self._round_trip_error(images)
        self.round_trip = RoundTrip(single, "float32", 3 * len(images), single)
        if not single < 0.05:
            self.round_trip = RoundTrip(single, "float64", 3 * len(images), single)
            self.round_trip = RoundTrip(self._round_trip_error(images), "float64", 3 * len(images), single)
        return self.round_trip

    @torch.no_grad()
    def _round_trip_error(self, images: Tensor) -> float:
        error = 0.0
        for u in (
            self.dequantisation_noise(),
            torch.full((1, 1, 1, 1), 1e-6),
            torch.full((1, 1, 1, 1), 1 - 1e-6),
        ):
            raw = self.decode_raw(self.encode(images, u=u))
            gap = float((255 * raw - (255 * images).round().to(raw)).abs().max())
            error = max(error, gap) if math.isfinite(gap) else math.inf
        return error

    # -- densities -------------------------------------------------------------------------------

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores log p(z|c) in nats, (N, classes), differentiable; u is seed 0's."""
        self._check(images, values=False)
        v = self.dequantise(images, self.dequantisation_noise())
        return self.class_log_likelihood(self.transform(v).z)

    def class_log_likelihood(self, z: Tensor, reduce: str = "logsumexp") -> Tensor:
        """Return log p(z|c) in nats, (N, classes): of the latent only, without log-determinant."""
        flat = z.reshape(len(z), -1).to(self.mixture.mean)
        return self.mixture.class_log_likelihood(flat, reduce)

    def component_log_likelihood(self, z: Tensor) -> Tensor:
        """Return log π_ck + log N(z; μ_ck, Σ_ck) in nats, (N, classes, components)."""
        joint: Tensor = self.mixture(z.reshape(len(z), -1).to(self.mixture.mean))
        return joint

    @torch.no_grad()
    def log_likelihood(self, images: Tensor, seed: int = 0) -> LogLikelihood:
        """Return the log-likelihood of 8-bit images under every class and in total."""
        self._check(images)
        levels = (images.to(self._device()).float() * 255).round().clamp(0, 255)
        code = _code(self.transform((levels + self.dequantisation_noise(seed)) / 256), None)
        return self.log_likelihood_of(code)

    def log_likelihood_of(self, code: Code) -> LogLikelihood:
        """Return the log-likelihood of the images behind a code that holds ``log_det``."""
        if code.log_det is None:
            raise SipError("This code holds no log-determinant; encode the image again to score it.")
        per_class = code.log_det.to(self.mixture.mean)[:, None] + self.class_log_likelihood(code.z)
        total = torch.logsumexp(per_class, 1) - math.log(len(self.classes))
        bits = -1 / (self.dimensions * math.log(2))
        return LogLikelihood(per_class, total, bits * total, bits * per_class.amax(1))

    # -- prototypes ------------------------------------------------------------------------------

    @property
    def prototypes(self) -> list[list[Prototype]]:
        """The Gaussians, ``prototypes[class][component]``."""
        return [
            [Prototype(self, c, k) for k in range(self.config.components)] for c in range(len(self.classes))
        ]

    def decode_means(self) -> Tensor:
        """Return the decoded means, halves at temperature 0: (classes, components, C, H, W)."""
        means = self.mixture.mean.detach().flatten(0, 1).reshape(-1, *self.latent_shape)
        return self.decode(means).reshape(len(self.classes), -1, *self.input_shape)

    # -- inside ----------------------------------------------------------------------------------

    def _device(self) -> torch.device:
        return self.mixture.mean.device

    def _dtype(self) -> torch.dtype:
        return self.mixture.mean.dtype

    def _twin(self) -> "ProtoFlow":
        if self._dtype() == torch.float64:
            return self
        flow = copy.deepcopy(self)
        return (flow.cpu() if self._device().type == "mps" else flow).double()  # MPS has no float64

    def _exact(self) -> "ProtoFlow":
        return self._twin() if self.round_trip and self.round_trip.precision == "float64" else self

    def _check(self, images: Tensor, values: bool = True) -> None:
        if images.ndim != 4 or tuple(images.shape[1:]) != self.input_shape:
            raise SipError(
                f"This ProtoFlow takes images of {_shape(self.input_shape)}, not {_shape(images.shape[1:])}; "
                "resize them or choose another model."
            )
        if values and not bool(((images >= 0) & (images <= 1)).all()):
            raise SipError("The images hold values outside 0 to 1 (or not numbers); scale them to [0, 1].")


def build_protoflow(
    config: FlowConfig,
    classes: Sequence[str],
    *,
    seed: int | None = None,
    origin: Mapping[str, str] | None = None,
) -> ProtoFlow:
    """Build an untrained flow; the same seed gives the same parameters."""
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
        return ProtoFlow(config, classes, origin)


def _code(out: Transformed, u: Tensor | None) -> Code:
    dimensions = math.prod(out.z.shape[1:]) + sum(math.prod(half.shape[1:]) for half in out.halves)
    log_det = out.log_det + out.log_prior - dimensions * math.log(256)
    return Code(out.z, out.halves, u, None, log_det)


def _shape(shape: Sequence[int]) -> str:
    return "×".join(str(n) for n in shape) or "no size"
