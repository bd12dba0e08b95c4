"""A network with the tensors of a file as its weights: every key must fit."""

from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from sip_explorer.models.key_differences import differing_keys
from sip_explorer.records import SipError


def fill(path: Path, name: str, network: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Return ``network`` (it may be on the meta device) with ``state`` in it, in float32.

    Parameters
    ----------
    path, name
        The file and the architecture, for the sentences.
    network : nn.Module
    state : dict of key in the network -> Tensor
        Copied, so that the network outlives the file.

    Raises
    ------
    SipError
        If a key is missing, left over, of another shape, not finite or not floating-point.
    """
    filled = network.state_dict()  # filled in place: it also carries the layout's version (MNASNet)
    wanted = {key: tuple(value.shape) for key, value in filled.items()}
    given = {key: tuple(value.shape) for key, value in state.items()}
    if error := differing_keys(path, name, given, wanted):
        raise error
    for key, expected in list(filled.items()):
        tensor = state.get(key)
        if tensor is None:  # a counter of batches, which files from before 2018 lack
            tensor = torch.zeros((), dtype=torch.int64)
        # Counters of batches, which an average of weights may hold as fractions, are of no account here.
        if expected.is_floating_point() and not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise SipError(f"{path} has {key} as torch.{kind}; save the weights as floating-point numbers.")
        filled[key] = tensor.detach().to(expected.dtype, copy=True).contiguous()
        if not (filled[key].sum().isfinite() or filled[key].isfinite().all()):
            bad = int((~filled[key].isfinite()).sum())
            raise SipError(
                f"{path} has {bad} values in {key} that are not finite; choose a checkpoint from before "
                "its training diverged."
            )
    network.load_state_dict(filled, assign=True)
    return network


def best_keys(candidates: Collection[Mapping[str, str]], wanted: Collection[str]) -> Mapping[str, str]:
    """Return the naming (key in the network -> key in the file) that most of ``wanted`` is found by."""
    known = set(wanted)
    return max(candidates, key=lambda keys: (len(known & keys.keys()), -len(keys.keys() - known)))
