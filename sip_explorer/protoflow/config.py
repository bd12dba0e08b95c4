"""The plan of a flow: image shape, stages, prototypes. Plain values that go into a file's metadata."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sip_explorer.records import SipError

_STEPS = re.compile(r"steps (\d+)x(\d+)")
_DENSE = re.compile(r"dense (\d+)x(\d+)")
_FACTOR = re.compile(r"factor (\d+)")


@dataclass(frozen=True)
class Stage:
    """One entry of the layout: ``squeeze``, ``steps`` or ``dense`` (``count`` of ``width``), ``factor``."""

    kind: str
    count: int = 1
    width: int = 0


@dataclass(frozen=True)
class FlowConfig:
    """What fixes the shapes of a `ProtoFlow`.

    Parameters
    ----------
    input_shape : (C, H, W) of the images.
    layout : stages in order, each ``"squeeze"`` (2x2 pixels become channels), ``"steps 4x64"``
        (4 flow steps whose coupling networks are 64 channels wide), ``"dense 2x256"`` (2 couplings
        that see the whole picture, through 256 hidden units) or ``"factor 128"`` (half of the
        channels leave to a Gaussian whose mean and scale a network of 128 channels predicts from
        the other half).
    components : prototypes per class.
    scale_bound : bound b of a coupling's log-scale, b·tanh(s/b).
    blocks : residual blocks in each coupling network (`CouplingNet`).
    dequantisation : ``"uniform"`` noise, or ``"variational"``: learned (`VariationalDequantisation`).

    Raises
    ------
    SipError
        Where the layout does not fit the images.
    """

    input_shape: tuple[int, int, int] = (1, 28, 28)
    layout: tuple[str, ...] = field(
        default=("squeeze", "steps 4x64", "squeeze", "steps 6x160", "factor 128", "steps 3x160")
    )
    components: int = 4
    scale_bound: float = 2.0
    blocks: int = 0
    dequantisation: str = "uniform"

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_shape", tuple(int(n) for n in self.input_shape))
        object.__setattr__(self, "layout", tuple(self.layout))
        if len(self.input_shape) != 3 or min(self.input_shape) < 1:
            raise SipError(
                f"A flow's images are (channels, height, width), not {self.input_shape}; give three numbers."
            )
        for name in ("components", "blocks"):
            if isinstance(getattr(self, name), float):
                raise SipError(f"{name} is {getattr(self, name)!r}; choose a whole number.")
        if self.components < 1:
            raise SipError(
                f"A ProtoFlow needs at least 1 prototype per class, not {self.components}; raise components."
            )
        if not 0 < self.scale_bound < 20:
            raise SipError(f"scale_bound is {self.scale_bound}; choose a number between 0 and 20, such as 2.")
        if not 0 <= self.blocks <= 64:
            raise SipError(f"A coupling network cannot have {self.blocks} blocks; choose 0 to 64.")
        if self.dequantisation not in ("uniform", "variational"):
            raise SipError(f"dequantisation is {self.dequantisation!r}; choose 'uniform' or 'variational'.")
        self.shapes()

    def stages(self) -> tuple[Stage, ...]:
        """Return the layout, parsed."""
        return tuple(_parse(entry) for entry in self.layout)

    def shapes(self) -> tuple[tuple[tuple[int, int, int], ...], tuple[int, int, int]]:
        """Return the shapes (C, H, W) of the factored-out halves, in order, and of the latent."""
        channels, height, width = self.input_shape
        halves = []
        for stage in self.stages():
            if stage.kind == "squeeze":
                if height % 2 or width % 2:
                    raise SipError(
                        f"The layout squeezes {height}x{width} pixels, which are not even; "
                        "leave out a squeeze or resize the images."
                    )
                channels, height, width = 4 * channels, height // 2, width // 2
            elif channels % 2:
                raise SipError(
                    f"The layout halves {channels} channels, which are not even; put a squeeze before it."
                )
            elif stage.kind == "factor":
                channels //= 2
                halves.append((channels, height, width))
        return tuple(halves), (channels, height, width)

    def least_weights(self, classes: int) -> int:
        """Return how many parameters a flow of ``classes`` has at least, without building it."""
        channels, height, width = self.input_shape
        total = 0
        for stage in self.stages():
            if stage.kind == "squeeze":
                channels, height, width = 4 * channels, height // 2, width // 2
                continue
            if stage.kind == "dense":
                total += stage.count * stage.width * (channels * height * width // 2)
            else:
                total += stage.count * stage.width * (stage.width * (1 + 10 * self.blocks) + height * width)
            if stage.kind == "steps":
                total += stage.count * channels * channels
            if stage.kind == "factor":
                channels //= 2
        return total + 2 * classes * self.components * channels * height * width

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "FlowConfig":
        """Build from plain values; SipError names a key that is unknown."""
        try:
            unknown = sorted(str(key) for key in set(values) - {entry.name for entry in fields(cls)})
            if unknown:
                raise SipError(
                    f"The flow's configuration has unknown keys: {', '.join(unknown)}; remove them."
                )
            return cls(**values)
        except (TypeError, ValueError, OverflowError) as error:
            raise SipError(
                f"The flow's configuration cannot be read ({error}); write the file again."
            ) from error


def _parse(entry: str) -> Stage:
    stage = None
    if entry == "squeeze":
        return Stage("squeeze")
    if found := _STEPS.fullmatch(entry):
        stage = Stage("steps", int(found[1]), int(found[2]))
    elif found := _DENSE.fullmatch(entry):
        stage = Stage("dense", int(found[1]), int(found[2]))
    elif found := _FACTOR.fullmatch(entry):
        stage = Stage("factor", 1, int(found[1]))
    if stage is not None:
        if min(stage.count, stage.width) < 1:
            raise SipError(f"The layout entry {entry!r} has a 0 in it; choose whole numbers of at least 1.")
        return stage
    raise SipError(
        f"The layout entry {entry!r} is none of 'squeeze', 'steps 4x64', 'dense 2x256' and 'factor 128'; "
        "correct it."
    )
