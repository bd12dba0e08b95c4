"""Float32 that is float32, and sums in one order, also where a GPU would rather be quick."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Keep ``device`` to repeatable algorithms and true float32; the settings are put back.

    By default a CUDA device multiplies float32 in convolutions with 10 bits of mantissa (TF32), and
    picks algorithms whose sums differ from call to call. An operation that has no repeatable form warns.
    """
    if device.type != "cuda":
        yield
        return
    import torch  # records/ is imported by the window, which comes up without it
    from torch.utils import deterministic

    # cuBLAS reads it when a process first multiplies; what a person has set stays.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32
    mode = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    fills = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32 = False, True, False, False
    torch.use_deterministic_algorithms(True, warn_only=True)
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32 = before
        torch.use_deterministic_algorithms(mode, warn_only=warns)
        deterministic.fill_uninitialized_memory = fills  # type: ignore[attr-defined]
