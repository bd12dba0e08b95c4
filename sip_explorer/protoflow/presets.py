"""Sizes of our own flow, from 0.7 to 133 million parameters, for any image that halves."""

from dataclasses import dataclass

from sip_explorer.protoflow.config import FlowConfig
from sip_explorer.records import SipError


@dataclass(frozen=True)
class Size:
    """Steps per level and the width and residual blocks of their coupling networks."""

    steps: tuple[int, int, int]
    width: int
    blocks: int
    dequantisation: str


# Steps of the first, the middle and the last levels: the first sees the most pixels and the fewest channels.
SIZES = {
    "small": Size((4, 6, 3), 160, 0, "uniform"),
    "medium": Size((4, 8, 8), 192, 1, "variational"),
    "large": Size((6, 10, 10), 320, 1, "variational"),
    "largest": Size((6, 12, 12), 384, 2, "variational"),
}
"""0.7, 8, 26 and 82 million parameters for 28×28 grey pixels; 3, 16, 47 and 133 for 32×32 in colour."""


def preset(
    size: str, input_shape: tuple[int, int, int], components: int = 5, dequantisation: str | None = None
) -> FlowConfig:
    """Return a plan of a size for images (C, H, W).

    Pixels are squeezed into channels as long as height and width are even and at least 8; half of
    the channels is factored out at every level but the first (Real NVP's multi-scale architecture).

    Raises
    ------
    SipError
        Where there is no such size, or the images cannot be halved twice.
    """
    if size not in SIZES:
        raise SipError(f"There is no flow of the size {size!r}; choose {', '.join(SIZES)}.")
    channels, height, width = input_shape
    levels = 0
    while height % 2 == width % 2 == 0 and min(height, width) >= 8:
        height, width, levels = height // 2, width // 2, levels + 1
    if levels < 2:
        raise SipError(
            f"Images of {input_shape[1]}×{input_shape[2]} pixels cannot be halved twice; resize them to a "
            "multiple of 4, at least 16."
        )
    chosen = SIZES[size]
    first, middle, last = chosen.steps
    layout = ["squeeze", f"steps {first}x{_narrow(chosen.width)}"]
    for _level in range(1, levels):
        layout += ["squeeze", f"steps {middle}x{chosen.width}", f"factor {chosen.width}"]
    layout.append(f"steps {last}x{chosen.width}")
    return FlowConfig(
        (channels, *input_shape[1:]),
        tuple(layout),
        components,
        blocks=chosen.blocks,
        dequantisation=dequantisation or chosen.dequantisation,
    )


def _narrow(width: int) -> int:
    return max(32, width * 2 // 5 // 16 * 16)
