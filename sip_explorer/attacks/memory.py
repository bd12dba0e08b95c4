"""Too little memory: which errors say so, and going on with smaller micro-batches."""

import re
from collections.abc import Callable, Generator
from typing import TypeVar

import torch

from sip_explorer.records import Event, Notice, SipError

Result = TypeVar("Result")

# Only CUDA has an error class of its own. The allocators of the CPU and of Apple's GPUs, and cuDNN and
# cuBLAS asking for their workspace, raise a plain RuntimeError that is told from a fault of the program
# by these words alone.
_WORDS = (
    "DefaultCPUAllocator",
    "MPS backend out of memory",
    "CUDA out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether ``error`` says that memory, of whichever device, did not suffice."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def with_less_memory(
    work: Callable[[int], Generator[Event | None, None, Result]],
    micro_batch: int,
    *,
    subject: str,
    refusal: str,
    device: torch.device,
) -> Generator[Event | None, None, Result]:
    """Run ``work(micro_batch)``, and again with half of it as often as memory does not suffice.

    What ``work`` yields is passed on and its result returned. It starts anew each time and has to know
    by itself what it has finished.

    Parameters
    ----------
    work
        Makes a generator from a micro-batch, at most ``micro_batch``.
    micro_batch
        The size to begin with.
    subject
        What is computed, for the sentence that a person reads at each halving.
    refusal
        The sentence where not even a micro-batch of 1 fits.
    device
        Whose cached memory is given back before going on.

    Yields
    ------
    Event or None
        Those of ``work``, and a Notice with both sizes at each halving.

    Raises
    ------
    SipError
        ``refusal``.
    """
    while True:
        try:
            return (yield from work(micro_batch))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if micro_batch == 1:
                raise SipError(refusal) from error
            asked = _asked(error)
        # Only here, out of the except clause, are the error and the tensors of its frames gone.
        if device.type == "cuda":
            torch.cuda.empty_cache()
        yield Notice(
            f"Not enough memory for {subject} with {micro_batch} images at once{asked}: going on with "
            f"{micro_batch // 2}."
        )
        micro_batch //= 2


def _asked(error: BaseException) -> str:
    found = re.search(r"tried to allocate ([0-9.]+) ([A-Za-z]+)", str(error), re.IGNORECASE)
    if found is None:
        return ""
    amount, unit = float(found[1]), found[2]
    if unit == "bytes":
        amount, unit = amount / 2**30, "GiB"
    return f" ({amount:.3g} {unit} more were needed)"
