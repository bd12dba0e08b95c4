"""3×3 convolutions with a quarter of the multiplications, on a CPU, for inference.

Winograd's F(4×4, 3×3) (Lavin & Gray 2016, arXiv 1509.09308): a tile of 4×4 outputs is 36 products
instead of 144. Places are laid out so that all of it is a few matrix products without a copy: the
row of a place is (w mod 4, h mod 4, h div 4, w div 4, image), its channels lie side by side.
"""

from typing import NamedTuple

import torch
from torch import Tensor

_IN = torch.tensor(  # of the four inputs of a tile; the two of its neighbours are added by hand
    [[0.0, -5, 0, 1], [-4, -4, 1, 1], [4, -4, -1, 1], [-2, -1, 2, 1], [2, -1, -2, 1], [4, 0, -5, 0]]
)
_OUT = torch.tensor([[1.0, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
_KERNEL = (
    torch.tensor([[6.0, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]).double() / 24
)


class Grid(NamedTuple):
    """The places of a batch; height and width must be divisible by 4."""

    images: int
    height: int
    width: int

    @property
    def rows(self) -> int:
        """How many places there are."""
        return self.images * self.height * self.width

    @property
    def tiles(self) -> tuple[int, int]:
        """How many tiles there are (down, across)."""
        return self.height // 4, self.width // 4


class Workspace:
    """Memory that is used again: fresh memory costs more than the sums done in it."""

    def __init__(self) -> None:
        self._slots: dict[str, Tensor] = {}

    def take(self, slot: str, *shape: int) -> Tensor:
        """Return uninitialised float32 memory; what the slot held before is gone."""
        size = 1
        for length in shape:
            size *= length
        held = self._slots.get(slot)
        if held is None or len(held) < size:
            held = self._slots[slot] = torch.empty(size)
        return held[:size].view(shape)


def to_rows(x: Tensor) -> Tensor:
    """Return (rows, C) of (N, C, H, W)."""
    n, channels, height, width = x.shape
    tiled = x.reshape(n, channels, height // 4, 4, width // 4, 4)
    return tiled.permute(5, 3, 2, 4, 0, 1).reshape(-1, channels)


def from_rows(rows: Tensor, grid: Grid) -> Tensor:
    """Return contiguous (N, C, H, W) of (rows, C)."""
    down, across = grid.tiles
    tiled = rows.reshape(4, 4, down, across, grid.images, -1)
    return tiled.permute(4, 5, 2, 1, 3, 0).reshape(grid.images, -1, grid.height, grid.width)


def transformed_kernel(weight: Tensor) -> Tensor:
    """Return (36, c, out) of a kernel (out, c, 3, 3)."""
    both = torch.einsum("ia,jb,ocab->jico", _KERNEL, _KERNEL, weight.detach().double())
    return both.reshape(36, weight.shape[1], weight.shape[0]).float().contiguous()


def convolve(x: Tensor, kernel: Tensor, grid: Grid, space: Workspace) -> Tensor:
    """Return the convolution with zeros around the image, (rows, out), in memory of ``space``.

    ``x`` is (rows, c) and contiguous, ``kernel`` from `transformed_kernel`; no bias is added.
    """
    (down, across), channels, out = grid.tiles, x.shape[1], kernel.shape[2]
    line = grid.images * channels  # the numbers of one tile position
    size = down * across * line
    places = x.view(4, 4, down, across, line)
    wide = torch.mm(_IN, x.view(4, -1), out=space.take("wide", 6, 4 * size))
    wide = wide.view(6, 4, down, across, line)
    if across > 1:
        wide[0, :, :, 1:].add_(places[3, :, :, :-1], alpha=4)
        wide[5, :, :, :-1].add_(places[0, :, :, 1:])
    flat = wide.view(6, 4, size)
    both = torch.bmm(_IN.expand(6, 6, 4), flat, out=space.take("both", 6, 6, size))
    both = both.view(6, 6, down, across, line)
    if down > 1:
        both[:, 0, 1:].add_(wide[:, 3, :-1], alpha=4)
        both[:, 5, :-1].add_(wide[:, 0, 1:])
    rows = down * across * grid.images
    products = torch.bmm(both.view(36, rows, channels), kernel, out=space.take("products", 36, rows, out))
    half = torch.bmm(
        _OUT.expand(6, 4, 6), products.view(6, 6, rows * out), out=space.take("half", 6, 4, rows * out)
    )
    whole = torch.mm(_OUT, half.view(6, -1), out=space.take("products", 4, 4 * rows * out))
    return whole.view(-1, out)
