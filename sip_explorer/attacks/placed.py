"""Models on the device that the work runs on."""

import copy

import torch
from torch import nn

from sip_explorer.attacks.memory import is_out_of_memory
from sip_explorer.records import SipError


def placed(model: nn.Module, device: torch.device, name: str) -> nn.Module:
    """Return ``model`` where it lies on a device of that kind, else a copy on ``device``.

    Raises
    ------
    SipError
        There is not enough memory for the copy; ``name`` is in the sentence.
    """
    first = next(model.parameters(), None)
    if first is None or first.device.type == device.type:
        return model
    try:
        return copy.deepcopy(model).to(device)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise SipError(
            f"There is not enough memory on {device} for the model {name}: close other programs, or choose "
            "another device."
        ) from error
