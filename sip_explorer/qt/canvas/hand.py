"""What the hand holds: a tool and its size, hardness, level; a brush and an eraser share them."""

from dataclasses import dataclass, field

TOOLS = ("brush", "eraser", "polygon", "lasso", "box", "fill", "encircle", "superpixel")
"""Every tool, in the order of the tool bar."""

FILLS = ("mask", "colour")
"""What a fill goes by: equal values of the mask, or similar colours of the picture."""

ROUND = frozenset({"brush", "eraser", "encircle"})
"""The tools with a round tip, whose size shows at the cursor."""


class BrushSize:
    """The brush's diameter in image pixels: whole, from 1 to twice the image's longer side."""

    def __init__(self) -> None:
        self.diameter = 1
        self._side = 0

    @property
    def radius(self) -> float:
        """Half the diameter."""
        return self.diameter / 2

    def suit(self, side: int) -> bool:
        """Keep the same share of the longer side, a fifteenth at first; whether the diameter changed."""
        share = self.diameter / self._side if self._side else 1 / 15
        same, self._side = side == self._side, side
        return not same and self.set(share * side)

    def set(self, diameter: float) -> bool:
        """Set the diameter, rounded and limited; whether it changed."""
        whole = min(max(1, round(diameter)), max(1, 2 * self._side))
        changed = whole != self.diameter
        self.diameter = whole
        return changed

    def step(self, steps: float) -> bool:
        """Grow (or shrink) by a fifth per step, by a pixel at least."""
        wanted = self.diameter * 1.2**steps
        if abs(wanted - self.diameter) < 1:
            wanted = self.diameter + (1 if steps > 0 else -1)
        return self.set(wanted)


@dataclass
class Hand:
    """What a gesture is made with.

    Attributes
    ----------
    tool
        One of `TOOLS`.
    size
        Of round tips.
    hardness
        0..1: the share of the radius within which a round tip paints in full.
    level
        0..1: the salience that is painted.
    erasing
        Whether any tool erases for now.
    fill_by, tolerance
        One of `FILLS`; how far a colour may be from the one that was clicked, 0..255 per channel.
    pen_sizes, pen_levels
        Whether a pen's pressure scales the size, and the level.
    """

    tool: str = "brush"
    size: BrushSize = field(default_factory=BrushSize)
    hardness: float = 1.0
    level: float = 1.0
    erasing: bool = False
    fill_by: str = "mask"
    tolerance: int = 24
    pen_sizes: bool = True
    pen_levels: bool = False

    @property
    def erases(self) -> bool:
        """Whether what is painted now is taken away."""
        return self.erasing or self.tool == "eraser"

    @property
    def value(self) -> int:
        """The mask value that is painted: 0 erases."""
        return 0 if self.erases else round(255 * self.level)
