"""What fixes the shapes of a published DenseFlow."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sip_explorer.records import SipError


@dataclass(frozen=True)
class DequantisationPlan:
    """Widths of the dequantisation flow; the defaults are those of every published configuration."""

    context: int = 64
    context_depth: int = 4
    context_growth: int = 16
    width: int = 64
    depth: int = 4
    growth: int = 64
    couplings: int = 4


@dataclass(frozen=True)
class DenseFlowPlan:
    """A DenseFlow (Grcić et al. 2021, arXiv 2106.04627); the defaults are DF-74-10 at 32 px.

    Parameters
    ----------
    input_shape : (C, H, W) of the images, C 1 or 3 as a rule.
    block_conf : steps of each block.
    layers_conf : units in each step of a block.
    widths : channels inside each block's coupling networks ("layer_mid_chnls").
    growth : channels of noise joined between two steps ("growth_rate").
    embeds : channels of each block's attention, half its width if empty.
    depth, dense_growth : layers of the dense blocks in coupling networks, and what each adds.
    dequantisation : widths of the dequantisation flow.

    Raises
    ------
    SipError
        Where the numbers do not fit together or the images cannot be taken.
    """

    input_shape: tuple[int, int, int] = (3, 32, 32)
    block_conf: tuple[int, ...] = (6, 4, 1)
    layers_conf: tuple[int, ...] = (5, 6, 20)
    widths: tuple[int, ...] = (48, 48, 48)
    growth: int = 10
    embeds: tuple[int, ...] = ()
    depth: int = 7
    dense_growth: int = 64
    dequantisation: DequantisationPlan = field(default_factory=DequantisationPlan)

    def __post_init__(self) -> None:
        for name in ("input_shape", "block_conf", "layers_conf", "widths", "embeds"):
            object.__setattr__(self, name, tuple(int(n) for n in getattr(self, name)))
        if not self.embeds:
            object.__setattr__(self, "embeds", tuple(width // 2 for width in self.widths))
        blocks = {len(self.block_conf), len(self.layers_conf), len(self.widths), len(self.embeds)}
        if len(blocks) != 1 or not self.block_conf or len(self.input_shape) != 3:
            raise SipError(
                f"A DenseFlow needs as many numbers in block_conf {list(self.block_conf)}, layers_conf "
                f"{list(self.layers_conf)} and layer_mid_chnls {list(self.widths)}, one a block."
            )
        counts = (*self.input_shape, *self.block_conf, *self.layers_conf, *self.widths, *self.embeds)
        if min(counts) < 1 or min(self.depth, self.dense_growth) < 1:
            raise SipError("Every number of a DenseFlow's configuration must be at least 1; correct it.")
        if max(self.block_conf) > 1 and (self.growth < 2 or self.growth % 2):
            raise SipError(
                f"The growth_rate of a DenseFlow is {self.growth}; it must be even, or the channels cannot "
                "be halved."
            )
        self.shapes()

    @property
    def squeezes(self) -> int:
        """How often height and width are halved."""
        return len(self.block_conf)

    def block_channels(self) -> tuple[tuple[int, int], ...]:
        """Return (channels in, channels out) of each block."""
        channels, pairs = 4 * self.input_shape[0], []
        for steps in self.block_conf:
            out = channels + (steps - 1) * self.growth
            pairs.append((channels, out))
            channels = 2 * out
        return tuple(pairs)

    def shapes(self) -> tuple[tuple[tuple[int, int, int], ...], tuple[int, int, int]]:
        """Return the shapes (C, H, W) of the factored-out halves, in order, and of the latent."""
        _, height, width = self.input_shape
        halves, latent = [], (0, 0, 0)
        for index, (_, out) in enumerate(self.block_channels()):
            if height % 2 or width % 2 or (height // 2) * (width // 2) % 4:
                raise SipError(
                    f"A DenseFlow with {self.squeezes} block(s) cannot take images of "
                    f"{self.input_shape[1]}×{self.input_shape[2]} pixels: every block needs a number of "
                    "places that 4 divides; resize them, for instance to 32×32."
                )
            height, width = height // 2, width // 2
            if index:
                halves.append((latent[0] * 2, height, width))
            latent = (out, height, width)
        return tuple(halves), latent

    def eta_shapes(self) -> tuple[tuple[int, int, int], ...]:
        """Return the shapes of the noise that the couplings join, in order."""
        shapes = []
        for index, steps in enumerate(self.block_conf):
            size = (self.input_shape[1] >> (index + 1), self.input_shape[2] >> (index + 1))
            shapes += [(self.growth, *size)] * (steps - 1)
        return tuple(shapes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DenseFlowPlan":
        """Build from plain values; SipError where they are no plan."""
        try:
            unknown = sorted(str(key) for key in set(values) - {entry.name for entry in fields(cls)})
            if unknown:
                raise SipError(f"A DenseFlow's plan has no {', '.join(unknown)}; write the file again.")
            given = dict(values)
            given["dequantisation"] = DequantisationPlan(**given.get("dequantisation", {}))
            return cls(**given)
        except (TypeError, ValueError, OverflowError) as error:
            raise SipError(f"The DenseFlow's plan cannot be read ({error}); write the file again.") from error
