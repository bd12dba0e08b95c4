"""What a checkpoint file holds, found without executing anything in it; needs no torch."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sip_explorer.models import recognition
from sip_explorer.models.exported_files import EXPORTED, is_exported, read_exported
from sip_explorer.models.foreign_files import START_BYTES, archive_names, words_for, words_for_archive
from sip_explorer.models.safetensors_files import is_safetensors, read_header
from sip_explorer.models.state_dicts import LAYOUTS, Place, StateDict, find_state_dicts
from sip_explorer.models.torch_files import OLD_START, read_torch
from sip_explorer.models.torch_pickles import Inert, StoredTensor
from sip_explorer.records import SipError

__all__ = ["LAYOUTS", "METADATA_KEY", "CheckpointInfo", "TensorEntry", "inspect_checkpoint"]

METADATA_KEY = "sip_explorer"


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
    kind : "safetensors", "torch" or "exported"
    size_bytes : int
    entries : tuple of TensorEntry
        The tensors of the chosen state dict, keys as stored; empty where the file holds none.
    metadata : dict
        Of safetensors the header's, ``sip_explorer`` already parsed where it is ours. Of a torch
        file ``foreign``, the names of functions and classes that it wants besides tensors,
        ``beside``, what lies beside the state dict, ``whole``, the class of a pickled object that is
        all there is, ``packed`` and ``hollow``, keys of quantised layers and of tensors without
        numbers. Of an exported program ``program``, an `ExportedFile`.
    layout : str
        The keys that the state dict sits under, joined by full stops, "" where the file is the state
        dict itself.
    architecture : str
        A name of `architecture_names` or "exported program", "" where it was not recognised.
    variants : tuple of str
        The names of the state dicts in the file, the default first: "model", "EMA" (exponential moving
        average), "SWA" (stochastic weight averaging), or the keys that they sit under.
    weights : str
        The variant that ``entries`` are of, "" where there is none.
    place : tuple of str and int
        The same as ``layout``, key by key.
    """

    path: Path
    kind: str
    size_bytes: int
    entries: tuple[TensorEntry, ...]
    metadata: dict[str, Any] = field(default_factory=dict)
    layout: str = ""
    architecture: str = ""
    variants: tuple[str, ...] = ()
    weights: str = ""
    place: Place = ()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Key -> shape."""
        return {entry.key: entry.shape for entry in self.entries}


def inspect_checkpoint(path: Path | str, weights: str | None = None) -> CheckpointInfo:
    """Return what a checkpoint file holds; no tensor data are read, so size does not matter.

    Parameters
    ----------
    path : path
    weights : str, optional
        Which of the state dicts: a name of ``variants``, in any case of letters; the first if None.

    Raises
    ------
    SipError
        If the file is not there, cut short, damaged or no checkpoint, or has no such variant.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise SipError(f"{path} is a folder; choose a checkpoint file in it.")
        if not path.is_file():
            raise SipError(f"{path} is no ordinary file; choose a checkpoint file.")
        with open(path, "rb") as file:
            start = file.read(START_BYTES)
        if is_safetensors(start):
            return _safetensors(path, size, weights)
        if start.startswith(OLD_START):
            return _torch(path, size, weights)
        if start.startswith(b"PK"):
            return _archive(path, size, weights)
        raise SipError(f"{path} {words_for(path, start, size)}.")
    except FileNotFoundError as error:
        raise SipError(f"{path} is not there; choose another file.") from error
    except (OSError, ValueError) as error:
        raise SipError(f"{path} cannot be read ({error}); check its permissions.") from error


def _archive(path: Path, size: int, weights: str | None) -> CheckpointInfo:
    names = archive_names(path)
    if names is None:
        raise SipError(f"{path} is cut short or damaged; copy or download it again.")
    if is_exported(names):
        if weights is not None and weights.lower() != EXPORTED:
            raise _no_variant(path, weights, (EXPORTED,))
        program = read_exported(path)
        entries = tuple(TensorEntry(key, shape, dtype) for key, shape, dtype in program.tensors)
        metadata = {"program": program}
        return CheckpointInfo(path, "exported", size, entries, metadata, "", EXPORTED, (EXPORTED,), EXPORTED)
    if not any(name == "data.pkl" or name.endswith("/data.pkl") for name in names):
        raise SipError(f"{path} {words_for_archive(names)}.")
    return _torch(path, size, weights)


def _safetensors(path: Path, size: int, weights: str | None) -> CheckpointInfo:
    header, strings = read_header(path, size)
    metadata: dict[str, Any] = dict(strings)
    if METADATA_KEY in metadata:
        try:
            metadata[METADATA_KEY] = dict(json.loads(metadata[METADATA_KEY]))
        except (ValueError, TypeError, RecursionError) as error:
            raise SipError(
                f"{path} is cut short or damaged: its description is no JSON; copy or download it again."
            ) from error
    ours = metadata.get(METADATA_KEY, {})
    named = ours.get("architecture") if ours.get("kind") == "classifier" else None
    tensors = {entry.key: StoredTensor(entry.shape, entry.dtype) for entry in header}
    parts = (StateDict("model", (), tensors),) if ours else find_state_dicts(tensors)
    if not parts:
        return CheckpointInfo(path, "safetensors", size, (), metadata)
    part = _chosen(path, parts, weights)
    entries = tuple(TensorEntry(key, value.shape, value.dtype) for key, value in part.tensors.items())
    return CheckpointInfo(
        path,
        "safetensors",
        size,
        entries,
        metadata,
        architecture=named if isinstance(named, str) else _architecture(entries),
        variants=tuple(each.name for each in parts),
        weights=part.name,
    )


def _torch(path: Path, size: int, weights: str | None) -> CheckpointInfo:
    found = read_torch(path)
    parts = find_state_dicts(found.content)
    metadata: dict[str, Any] = {"foreign": found.foreign}
    if not parts:
        metadata["whole"] = _whole(found.content)
        return CheckpointInfo(path, "torch", size, (), metadata)
    part = _chosen(path, parts, weights)
    if part.place:
        metadata["beside"] = part.beside
    if packed := _packed(found.content, part.place):
        metadata["packed"] = packed
    hollow = (key for key, value in part.tensors.items() if _is_hollow(value))
    if empty := next(hollow, ""):
        metadata["hollow"] = empty
    entries = tuple(TensorEntry(key, value.shape, value.dtype) for key, value in part.tensors.items())
    return CheckpointInfo(
        path,
        "torch",
        size,
        entries,
        metadata,
        part.layout,
        _architecture(entries),
        tuple(each.name for each in parts),
        part.name,
        part.place,
    )


def _chosen(path: Path, parts: tuple[StateDict, ...], weights: str | None) -> StateDict:
    if weights is None:
        return parts[0]
    for part in parts:
        if part.name.lower() == weights.lower():
            return part
    raise _no_variant(path, weights, tuple(part.name for part in parts))


def _no_variant(path: Path, weights: str, variants: tuple[str, ...]) -> SipError:
    return SipError(f"{path} holds no weights named {weights!r}; choose {' or '.join(variants)}.")


def _packed(content: Any, place: Place) -> str:
    """Return a key of quantised layers, whose weights are packed in a form of their own; "" if none."""
    for key in place:
        content = content[key]
    return next((key for key in content if isinstance(key, str) and "_packed_params" in key), "")


def _is_hollow(tensor: StoredTensor) -> bool:
    plain = not tensor.dtype.startswith(("q", "sparse"))
    return plain and not tensor.storage


def _whole(content: object, depth: int = 3) -> str:
    """Return the class of the first pickled object in a file that holds no plain state dict."""
    if isinstance(content, Inert):
        return str(getattr(type(content), "foreign", ""))
    values = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return next((name for value in values if depth and (name := _whole(value, depth - 1))), "")


def _architecture(entries: tuple[TensorEntry, ...]) -> str:
    shapes = {entry.key: entry.shape for entry in entries}
    keys = recognition.find_layout(shapes).keys
    return recognition.recognise({key: shapes[stored] for key, stored in keys.items()})
