"""Float32 that is float32, and sums in one order, also where a GPU would rather be quick."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Keep cuDNN on ``device`` to repeatable algorithms and true float32; the settings are put back.

    By default a CUDA device multiplies float32 in convolutions with 10 bits of mantissa (TF32), and
    picks algorithms whose sums differ from call to call.
    """
    if device.type != "cuda":
        yield
        return
    import torch  # records/ is imported by the window, which comes up without it

    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32
    cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32 = False, True, False, False
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32 = before
