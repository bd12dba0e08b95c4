"""What a stroke changed: a box with its old and new pixels; and the history that walks them."""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.strokes import Box

_HEADER = struct.Struct("<4s4I")
_MAGIC = b"SIP1"


@dataclass(frozen=True, eq=False)
class Patch:
    """The pixels of `box` before and after one edit of a mask.

    Attributes
    ----------
    box
        Half-open (y0, x0, y1, x1).
    old, new
        uint8 arrays of the box's size; never changed after.
    """

    box: Box
    old: NDArray[np.uint8]
    new: NDArray[np.uint8]

    def __post_init__(self) -> None:
        y0, x0, y1, x1 = self.box
        size = (y1 - y0, x1 - x0)
        if not (0 <= y0 < y1 and 0 <= x0 < x1) or self.old.shape != size or self.new.shape != size:
            raise ValueError(f"a patch of {self.old.shape} and {self.new.shape} does not fit box {self.box}")

    @classmethod
    def between(
        cls, before: NDArray[np.uint8], after: NDArray[np.uint8], within: Box | None = None
    ) -> "Patch | None":
        """The smallest patch that leads from one mask to the other, or None if they are equal.

        Parameters
        ----------
        before, after
            uint8 (H, W) of one size.
        within
            A box outside which both are known to be equal.
        """
        if before.shape != after.shape:
            raise ValueError(f"masks of {before.shape} and {after.shape} have no patch between them")
        y0, x0, y1, x1 = within or (0, 0, *before.shape)
        differs = before[y0:y1, x0:x1] != after[y0:y1, x0:x1]
        rows = np.flatnonzero(differs.any(axis=1))
        if rows.size == 0:
            return None
        columns = np.flatnonzero(differs.any(axis=0))
        y0, y1 = y0 + int(rows[0]), y0 + int(rows[-1]) + 1
        x0, x1 = x0 + int(columns[0]), x0 + int(columns[-1]) + 1
        old, new = before[y0:y1, x0:x1].copy(), after[y0:y1, x0:x1].copy()
        for pixels in (old, new):
            pixels.setflags(write=False)  # so that whoever keeps the patch may share them
        return cls((y0, x0, y1, x1), old, new)

    def apply(self, mask: NDArray[np.uint8]) -> None:
        """Write the new pixels into `mask`."""
        self._write(mask, self.new)

    def revert(self, mask: NDArray[np.uint8]) -> None:
        """Write the old pixels into `mask`."""
        self._write(mask, self.old)

    def inverted(self) -> "Patch":
        """The patch that does the opposite: undoing it is an edit like any other."""
        return Patch(self.box, self.new, self.old)

    def _write(self, mask: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
        y0, x0, y1, x1 = self.box
        if y1 > mask.shape[0] or x1 > mask.shape[1]:
            raise SipError(
                f"a stroke in rows {y0} to {y1} and columns {x0} to {x1} does not fit a mask of "
                f"{mask.shape[1]} x {mask.shape[0]} pixels; open the image that it was painted on"
            )
        mask[y0:y1, x0:x1] = pixels

    @property
    def nbytes(self) -> int:
        """Memory of the pixels."""
        return self.old.nbytes + self.new.nbytes

    def to_bytes(self) -> bytes:
        """Box and zlib-compressed old and new pixels; `from_bytes` gives the same patch back."""
        pixels = self.old.tobytes() + self.new.tobytes()
        return _HEADER.pack(_MAGIC, *self.box) + zlib.compress(pixels, 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Patch":
        """Read `to_bytes` back.

        Raises
        ------
        SipError
            If the bytes are damaged or are no patch.
        """
        try:
            magic, y0, x0, y1, x1 = _HEADER.unpack_from(data)
            if magic != _MAGIC:
                raise ValueError("foreign bytes")
            count = (y1 - y0) * (x1 - x0)
            if y0 >= y1 or x0 >= x1:
                raise ValueError("an empty box")
            # no more than the box needs is unpacked, whatever the bytes claim
            unpacker = zlib.decompressobj()
            pixels = np.frombuffer(unpacker.decompress(data[_HEADER.size :], 2 * count), np.uint8)
            if pixels.size != 2 * count or not unpacker.eof:
                raise ValueError("the wrong number of pixels")
            old, new = pixels.reshape(2, y1 - y0, x1 - x0)
            return cls((y0, x0, y1, x1), old, new)
        except (ValueError, struct.error, zlib.error) as fault:
            raise SipError(
                f"a saved stroke is damaged ({fault}); restore the workspace from a copy, "
                "or leave the stroke out"
            ) from fault


class UndoHistory:
    """The last `limit` patches of one mask, to walk back and forth.

    The history holds patches and does not touch a mask: the caller reverts what `undo` returns and
    applies what `redo` returns. Beyond `memory` bytes the oldest patches are kept compressed.
    """

    def __init__(self, limit: int = 200, memory: int = 128 << 20) -> None:
        self._limit = limit
        self._memory = memory
        self._patches: list[Patch | bytes] = []
        self._done = 0  # patches before this index are in the mask, those after it were undone

    def __len__(self) -> int:
        return len(self._patches)

    @property
    def nbytes(self) -> int:
        """Memory of all patches."""
        return sum(len(entry) if isinstance(entry, bytes) else entry.nbytes for entry in self._patches)

    @property
    def can_undo(self) -> bool:
        """Whether `undo` has something to give."""
        return self._done > 0

    @property
    def can_redo(self) -> bool:
        """Whether `redo` has something to give."""
        return self._done < len(self._patches)

    def push(self, patch: Patch) -> None:
        """Add an edit that was just made; what had been undone is forgotten."""
        del self._patches[self._done :]
        self._patches.append(patch)
        del self._patches[: -self._limit]
        self._done = len(self._patches)
        self._save_memory()

    def undo(self) -> Patch | None:
        """Step back: the patch that the caller reverts, or None at the start."""
        if not self.can_undo:
            return None
        self._done -= 1
        return self._patch(self._done)

    def redo(self) -> Patch | None:
        """Step forward: the patch that the caller applies, or None at the end."""
        if not self.can_redo:
            return None
        self._done += 1
        return self._patch(self._done - 1)

    def clear(self) -> None:
        """Forget everything."""
        self._patches.clear()
        self._done = 0

    def _patch(self, index: int) -> Patch:
        entry = self._patches[index]
        return Patch.from_bytes(entry) if isinstance(entry, bytes) else entry

    def _save_memory(self) -> None:
        used = sum(entry.nbytes for entry in self._patches if isinstance(entry, Patch))
        for index, entry in enumerate(self._patches):
            if used <= self._memory:
                return
            if isinstance(entry, Patch):
                self._patches[index] = entry.to_bytes()
                used -= entry.nbytes
