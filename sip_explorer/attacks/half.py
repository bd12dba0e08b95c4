"""Float16 on a CPU: the products of float16 numbers, summed in float32 as a GPU sums them.

Most CPUs have no float16 convolution; PyTorch then takes one that is some twenty times slower than
float32. Where autocast asks for float16, the heavy operations are done here by the float32 kernels on
the same float16 numbers, and their results rounded to float16: what a tensor core does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

_ATEN = torch.ops.aten
_HEAVY = frozenset(
    {
        _ATEN.convolution.default,
        _ATEN.convolution_backward.default,
        _ATEN.mm.default,
        _ATEN.addmm.default,
        _ATEN.bmm.default,
        _ATEN.baddbmm.default,
    }
)


class Float16ThroughFloat32(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, float16 convolutions and matrix products on the CPU run in float32, rounded."""

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operation of PyTorch."""
        first = next((value for value in args if isinstance(value, Tensor)), None)
        if func not in _HEAVY or first is None or first.dtype != torch.float16:
            return func(*args, **(kwargs or {}))
        results = func(*tree_map_only(Tensor, _wide, args), **(kwargs or {}))
        return tree_map_only(Tensor, lambda result: result.to(torch.float16), results)


def _wide(value: Tensor) -> Tensor:
    return value.to(torch.float32) if value.dtype == torch.float16 else value
