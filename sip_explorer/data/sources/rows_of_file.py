"""Rows of an array that lies in a file or in a compressed stream, read piece by piece."""

import lzma
import threading
import zipfile
import zlib
from collections.abc import Callable
from typing import IO

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError

DAMAGE = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, lzma.LZMAError, NotImplementedError)
"""What reading a damaged file or stream raises."""


class RowsOfFile:
    """Rows of a C-ordered array from byte ``offset`` of what ``opened`` opens.

    Compressed streams have no way back: read ascending rows, piece by piece, and each byte is
    unpacked once. One row at a time is in memory, beside what is returned.
    """

    def __init__(
        self, opened: Callable[[], IO[bytes]], offset: int, shape: tuple[int, ...], kind: np.dtype, what: str
    ) -> None:
        self._opened, self._offset, self._what = opened, offset, what
        self.shape, self.dtype = shape, kind
        self._row = int(np.prod(shape[1:], dtype=np.int64)) * kind.itemsize
        self._stream: IO[bytes] | None = None
        self._lock = threading.Lock()

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return the ascending ``rows``, (n, ...); `SipError` where the file is damaged or cut short."""
        result = np.empty((len(rows), self._row), np.uint8)
        with self._lock:
            try:
                if self._stream is None:
                    self._stream = self._opened()
                at, wanted = 0, rows.tolist()
                while at < len(wanted):
                    end = at + 1
                    while end < len(wanted) and wanted[end] == wanted[end - 1] + 1:
                        end += 1
                    self._stream.seek(self._offset + wanted[at] * self._row)
                    self._fill(self._stream, result[at:end].reshape(-1))
                    at = end
            except DAMAGE as error:
                self.close()
                raise SipError(f"{self._what} is damaged or cut short ({error}); fetch it again.") from error
        values: NDArray[np.generic] = result.reshape(-1).view(self.dtype).reshape(len(rows), *self.shape[1:])
        return values

    def close(self) -> None:
        """Close the file; the next reading opens it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __del__(self) -> None:
        self.close()

    @staticmethod
    def _fill(stream: IO[bytes], target: NDArray[np.uint8]) -> None:
        done = 0
        while done < len(target):
            piece = stream.read(min(len(target) - done, 1 << 20))
            if not piece:
                raise EOFError("it ends too early")
            target[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
            done += len(piece)
