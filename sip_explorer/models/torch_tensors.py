"""The tensors of a checkpoint, read as plain bytes: no pickle of the file is ever run for them."""

import mmap
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from sip_explorer.models.inspection import CheckpointInfo
from sip_explorer.models.state_dicts import find_state_dicts
from sip_explorer.models.torch_files import TorchFile, read_torch
from sip_explorer.models.torch_pickles import StoredTensor
from sip_explorer.records import SipError


def read_state(info: CheckpointInfo) -> dict[str, Tensor]:
    """Return the tensors of the chosen state dict, keys as stored; they may lie in the mapped file.

    Raises
    ------
    SipError
        If the file is damaged or changed since it was inspected.
    """
    try:
        if info.kind == "safetensors":
            whole = load_file(info.path)
            return {entry.key: whole[entry.key] for entry in info.entries}
        found = read_torch(info.path)
        part = next(
            part
            for part in find_state_dicts(found.content)
            if (part.name, part.place) == (info.weights, info.place)
        )
        return _tensors(info.path, found, part.tensors)
    except SipError:
        raise
    except Exception as error:  # what a hostile file can bring about is not to be listed
        raise SipError(
            f"{info.path} is damaged ({type(error).__name__}); copy or download it again."
        ) from error


def _tensors(path: Path, found: TorchFile, stored: Mapping[str, StoredTensor]) -> dict[str, Tensor]:
    used = {tensor.storage for tensor in stored.values()}
    storages: dict[str, Tensor] = {}
    with open(path, "rb") as file:
        whole = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), dtype=np.uint8)
    for key, (start, length) in found.places.items():
        if key in used:
            storages[key] = torch.from_numpy(whole[start : start + length])
    if compressed := {key: name for key, name in found.members.items() if key in used}:
        with zipfile.ZipFile(path) as archive:
            for key, name in compressed.items():
                storages[key] = torch.frombuffer(bytearray(archive.read(name)), dtype=torch.uint8)
    nothing = torch.empty(0, dtype=torch.uint8)
    return {key: _tensor(storages.get(tensor.storage, nothing), tensor) for key, tensor in stored.items()}


def _tensor(storage: Tensor, stored: StoredTensor) -> Tensor:
    dtype: torch.dtype = getattr(torch, stored.dtype)
    if storage.data_ptr() % dtype.itemsize:  # the old format aligns nothing
        storage = storage.clone()
    items = storage[: len(storage) // dtype.itemsize * dtype.itemsize].view(dtype)
    if 0 in stored.shape:
        return items.new_empty(stored.shape)
    return items.as_strided(stored.shape, stored.stride, stored.offset)
