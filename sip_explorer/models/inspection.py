"""What a checkpoint file holds, found without executing anything in it; needs no torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sip_explorer.models import recognition
from sip_explorer.models.torch_files import OLD_START, StoredTensor, read_torch
from sip_explorer.records import SipError

METADATA_KEY = "sip_explorer"
LAYOUTS = ("state_dict", "model", "model_state_dict", "net")
_HEADER_LIMIT = 100 * 2**20
_TYPES = {"BF16": "bfloat16", "BOOL": "bool", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}
_LETTERS = {"F": "float", "I": "int", "U": "uint", "C": "complex"}


@dataclass(frozen=True)
class TensorEntry:
    """One tensor of a file: its key, shape and type (such as float32)."""

    key: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class CheckpointInfo:
    """What a checkpoint holds.

    Attributes
    ----------
    path : Path
    kind : "safetensors" or "torch"
    size_bytes : int
    entries : tuple of TensorEntry
        The tensors of the state dict, keys as stored; empty where the file holds none.
    metadata : dict
        Of safetensors the header's, ``sip_explorer`` already parsed where it is ours. Of a torch
        file ``foreign``, the names of functions and classes that it wants besides tensors, and
        ``beside``, what lies beside the state dict.
    layout : str
        The key that the state dict sits under, "" where the file is the state dict itself.
    architecture : str
        A name of `architecture_names`, "" where it was not recognised.
    """

    path: Path
    kind: str
    size_bytes: int
    entries: tuple[TensorEntry, ...]
    metadata: dict[str, Any] = field(default_factory=dict)
    layout: str = ""
    architecture: str = ""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Key -> shape."""
        return {entry.key: entry.shape for entry in self.entries}


def inspect_checkpoint(path: Path | str) -> CheckpointInfo:
    """Return what a checkpoint file holds; no tensor data are read, so size does not matter.

    Raises
    ------
    SipError
        If the file is not there, cut short, damaged or no checkpoint.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise SipError(f"{path} is a folder; choose a checkpoint file in it.")
        if not path.is_file():
            raise SipError(f"{path} is no ordinary file; choose a checkpoint file.")
        with open(path, "rb") as file:
            start = file.read(16)
            length = int.from_bytes(start[:8], "little")
            if start[8:9] == b"{" and length <= _HEADER_LIMIT:
                if length > size - 8:
                    raise _damaged(path)
                file.seek(8)
                return _safetensors(path, size, file.read(length))
    except FileNotFoundError as error:
        raise SipError(f"{path} is not there; choose another file.") from error
    except (OSError, ValueError) as error:
        raise SipError(f"{path} cannot be read ({error}); check its permissions.") from error
    if start.startswith((b"PK", OLD_START)):
        return _torch(path, size)
    raise SipError(f"{path} {_reason(start, size)}.")


def _reason(start: bytes, size: int) -> str:
    if not size:
        return "is empty; copy or download it again"
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "is an HDF5 file; choose a .safetensors file or a torch file (.pt, .pth)"
    if start.startswith(b"\x80"):
        return "is a plain pickle, which could run code; save the model's state_dict with torch.save"
    return "is no checkpoint; choose a .safetensors file or a torch file (.pt, .pth)"


def _damaged(path: Path) -> SipError:
    return SipError(f"{path} is cut short or damaged; copy or download it again.")


def _safetensors(path: Path, size: int, header: bytes) -> CheckpointInfo:
    try:
        table = json.loads(header)
        metadata: dict[str, Any] = dict(table.pop("__metadata__", None) or {})
        entries, end = [], 0
        for key, value in table.items():
            start, stop = value["data_offsets"]
            shape = tuple(int(length) for length in value["shape"])
            if not 0 <= start <= stop or min(shape, default=0) < 0:
                raise ValueError("offsets")
            entries.append((start, TensorEntry(key, shape, _type(value["dtype"]))))
            end = max(end, stop)
        if METADATA_KEY in metadata:
            metadata[METADATA_KEY] = dict(json.loads(metadata[METADATA_KEY]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path) from error
    if end != size - 8 - len(header):
        raise _damaged(path)
    ordered = tuple(entry for _, entry in sorted(entries, key=lambda pair: (pair[0], pair[1].key)))
    ours = metadata.get(METADATA_KEY, {})
    named = ours.get("architecture") if ours.get("kind") == "classifier" else None
    return CheckpointInfo(
        path,
        "safetensors",
        size,
        ordered,
        metadata,
        architecture=named if isinstance(named, str) else _architecture(ordered),
    )


def _type(name: str) -> str:
    if name in _TYPES:
        return _TYPES[name]
    letter = _LETTERS.get(name[:1])
    return letter + name[1:] if letter and name[1:].isdigit() else name.lower()


def _torch(path: Path, size: int) -> CheckpointInfo:
    content, foreign = read_torch(path)
    metadata: dict[str, Any] = {"foreign": foreign}
    if not isinstance(content, Mapping):
        return CheckpointInfo(path, "torch", size, (), metadata)
    layout = next((name for name in LAYOUTS if _tensors(content.get(name))), "")
    if layout:
        metadata["beside"] = tuple(str(key) for key in content if key != layout)
    state = _tensors(content.get(layout) if layout else content)
    entries = tuple(TensorEntry(key, value.shape, value.dtype) for key, value in state.items())
    return CheckpointInfo(path, "torch", size, entries, metadata, layout, _architecture(entries))


def _tensors(content: object) -> dict[str, StoredTensor]:
    if not isinstance(content, Mapping):
        return {}
    return {
        key: value
        for key, value in content.items()
        if isinstance(key, str) and isinstance(value, StoredTensor)
    }


def _architecture(entries: tuple[TensorEntry, ...]) -> str:
    shapes = {entry.key: entry.shape for entry in entries}
    keys = recognition.find_layout(shapes).keys
    return recognition.recognise({key: shapes[stored] for key, stored in keys.items()})
