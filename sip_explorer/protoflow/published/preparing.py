"""Which form of a DenseFlow's layers does the work: the modules, or what was prepared from them."""

import weakref

import torch
from torch import Tensor, nn

from sip_explorer.protoflow.published.block import InvertibleDenseBlock
from sip_explorer.protoflow.published.dequantisation import DequantisationFlow
from sip_explorer.protoflow.published.prepared import PreparedBlock
from sip_explorer.protoflow.published.prepared_noise import PreparedDequantisation

_Key = tuple[tuple[int, int], ...]


class PreparedParts:
    """Prepared blocks of one flow, made when first asked for and again when a parameter has changed.

    They serve float32 on a CPU in eval() where no gradient is recorded and the height and width of
    the block are divisible by 4; else, or where they are switched ``off``, the modules do.
    """

    def __init__(self) -> None:
        self._blocks: weakref.WeakKeyDictionary[nn.Module, tuple[_Key, PreparedBlock]] = (
            weakref.WeakKeyDictionary()
        )
        self.off = False
        self._dequantisation: tuple[_Key, PreparedDequantisation] | None = None

    def block(self, block: InvertibleDenseBlock, x: Tensor) -> InvertibleDenseBlock | PreparedBlock:
        """Return what is to transform x (N, C, H, W)."""
        if self.off or not _serves(block, x, 4):
            return block
        key, found = _key(block), self._blocks.get(block)
        if found is None or found[0] != key:
            self._blocks.pop(block, None)
            with torch.inference_mode(False), torch.no_grad():
                found = self._blocks[block] = key, PreparedBlock(block)
        return found[1]

    def dequantisation(
        self, flow: DequantisationFlow, levels: Tensor
    ) -> DequantisationFlow | PreparedDequantisation:
        """Return what is to draw noise for levels (N, C, H, W)."""
        if self.off or not _serves(flow, levels, 8):
            return flow
        key = _key(flow)
        if self._dequantisation is None or self._dequantisation[0] != key:
            with torch.inference_mode(False), torch.no_grad():
                self._dequantisation = key, PreparedDequantisation(flow)
        return self._dequantisation[1]


def _serves(module: nn.Module, x: Tensor, divisor: int) -> bool:
    weight = next(module.parameters())
    return (
        not module.training
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and x.device.type == weight.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and x.shape[2] % divisor == x.shape[3] % divisor == 0
    )


def _key(module: nn.Module) -> _Key:
    """Return what changes when a parameter or buffer does."""
    return tuple(
        (0 if tensor.is_inference() else tensor._version, tensor.data_ptr())
        for tensor in (*module.parameters(), *module.buffers())
    )
