"""ProtoFlow: an invertible classifier whose prototypes are Gaussians in its latent space.

Carmichael et al. 2024 (arXiv 2407.12200), on any `Backbone`: a multi-scale flow of our own
(`multiscale.py`) or the published DenseFlow.
"""

import copy
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sip_explorer.protoflow import noise
from sip_explorer.protoflow.backbone import Backbone, LayerError, Transformed
from sip_explorer.protoflow.code import Code, LogLikelihood, RoundTrip, checked_temperature
from sip_explorer.protoflow.config import FlowConfig
from sip_explorer.protoflow.mixture import MixtureHead
from sip_explorer.protoflow.multiscale import MultiScaleFlow
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.records import SipError


class ProtoFlow(nn.Module):
    """A flow (``backbone``), a mixture per class (``mixture``), and the names that people read.

    Images are float32 NCHW in [0, 1]. ``forward`` returns log p(z|c), (N, classes): class scores.
    ``origin`` says where it came from, ``round_trip`` what `measure_round_trip` found (None before).
    ``probe`` holds a few uint8 training images (n, C, H, W) for that measurement.
    """

    probe: Tensor

    def __init__(
        self,
        backbone: Backbone,
        classes: Sequence[str],
        components: int,
        origin: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        if not classes:
            raise SipError("A ProtoFlow needs at least one class; give the classes' names.")
        self.backbone = backbone
        self.input_shape, self.latent_shape = backbone.input_shape, backbone.latent_shape
        self.halves_shapes, self.dimensions = backbone.halves_shapes, backbone.dimensions
        self.classes = tuple(str(name) for name in classes)
        self.components = components
        self.origin = dict(origin or {})
        self.round_trip: RoundTrip | None = None
        self.mixture = MixtureHead(len(self.classes), components, math.prod(self.latent_shape))
        self.register_buffer("probe", torch.zeros((0, *self.input_shape), dtype=torch.uint8))
        self._double: tuple[tuple[int, ...], ProtoFlow] | None = None

    def transform(self, v: Tensor, eta: Sequence[Tensor] | None = None) -> Transformed:
        """Send dequantised images v in [0, 1] through the backbone; differentiable."""
        return self.backbone.transform(v, eta)

    def inverse(self, z: Tensor, halves: Sequence[Tensor]) -> Tensor:
        """Send a latent and the halves back to v; differentiable."""
        return self.backbone.inverse(z, halves)

    # -- images and codes ------------------------------------------------------------------------

    def draw_noise(self, images: Tensor, seed: int = 0) -> Tensor:
        """Return the u in [0, 1) that a seed gives these images, (N, C, H, W); no gradient."""
        with torch.no_grad():
            return self.backbone.draw_noise(_levels(images).to(self._device(), self._dtype()), seed)

    def dequantise(self, images: Tensor, u: Tensor) -> Tensor:
        """Return v = (255·x + u)/256, differentiable in x."""
        return (255 * images + u) / 256

    def encode(
        self,
        images: Tensor,
        seed: int = 0,
        *,
        quantised: bool = True,
        u: Tensor | None = None,
        eta: Sequence[Tensor] | None = None,
    ) -> Code:
        """Encode images.

        Parameters
        ----------
        images : float NCHW in [0, 1].
        seed : of the noise that is drawn; an image's code does not depend on its batch.
        quantised : True rounds to 8 bits, and `decode` gives these bits back; no gradient. False
            takes the values as they are and is differentiable, for attacks.
        u : dequantisation noise in [0, 1], broadcastable to the images, in place of the seed's.
        eta : noise of the couplings (`Backbone.eta_shapes`), in place of the seed's.
        """
        self._check(images)
        images = images.to(self._device())
        if not quantised:
            return self._encode(255 * images, seed, u, eta)
        with torch.no_grad():
            flow = self._exact()
            return flow._encode(_levels(images).to(flow._device(), flow._dtype()), seed, u, eta)

    def _encode(self, levels: Tensor, seed: int, u: Tensor | None, eta: Sequence[Tensor] | None) -> Code:
        whole = levels.detach().round().clamp(0, 255)
        with torch.no_grad():
            u = self.backbone.draw_noise(whole, seed) if u is None else u.to(levels).expand_as(levels)
            log_q = self.backbone.log_q(whole, u)
        eta = self.backbone.draw_eta(len(levels), seed) if eta is None else tuple(eta)
        out = self.transform((levels + u) / 256, tuple(part.to(levels) for part in eta))
        log_det = out.log_det + out.log_prior - log_q - self.dimensions * math.log(256)
        return Code(out.z, out.halves, u, eta or None, log_det)

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
        self.round_trip = RoundTrip(single, "float32", len(images), single)
        if not single < 0.05:
            self.round_trip = RoundTrip(single, "float64", len(images), single)
            self.round_trip = RoundTrip(self._round_trip_error(images), "float64", len(images), single)
        return self.round_trip

    @torch.no_grad()
    def _round_trip_error(self, images: Tensor) -> float:
        error = 0.0
        for u in (
            None,
            torch.full((1, 1, 1, 1), 1e-6),
            torch.full((1, 1, 1, 1), 1 - 1e-6),
        ):
            raw = self.decode_raw(self.encode(images, u=u))
            gap = float((255 * raw - (255 * images).round().to(raw)).abs().max())
            error = max(error, gap) if math.isfinite(gap) else math.inf
        return error

    def layer_errors(self, images: Tensor | None = None) -> list[LayerError]:
        """Return how far each layer's inverse misses, on images (the probe if None), in float32."""
        images = (self.probe if images is None else _levels(images)).to(self._device(), self._dtype())
        with torch.no_grad():
            return self.backbone.layer_errors((images + self.backbone.draw_noise(images)) / 256)

    # -- densities -------------------------------------------------------------------------------

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores log p(z|c) in nats, (N, classes), differentiable; u is seed 0's."""
        self._check(images, values=False)
        v = self.dequantise(images, self.draw_noise(images))
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
        return self.log_likelihood_of(
            self._encode(_levels(images).to(self._device(), self._dtype()), seed, None, None)
        )

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
        return [[Prototype(self, c, k) for k in range(self.components)] for c in range(len(self.classes))]

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
        """Return the same flow in float64, kept until its backbone changes: prototypes are asked of self."""
        if self._dtype() == torch.float64:
            return self
        versions = tuple(
            tensor._version for tensor in (*self.backbone.parameters(), *self.backbone.buffers())
        )
        if self._double is None or self._double[0] != versions:
            self._double = None
            flow = copy.deepcopy(self)
            # MPS has no float64.
            self._double = versions, (flow.cpu() if self._device().type == "mps" else flow).double()
        return self._double[1].train(self.training)

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
        return ProtoFlow(MultiScaleFlow(config), classes, config.components, origin)


def _levels(images: Tensor) -> Tensor:
    return (images.detach() * 255).round().clamp(0, 255)


def _shape(shape: Sequence[int]) -> str:
    return "×".join(str(n) for n in shape) or "no size"
