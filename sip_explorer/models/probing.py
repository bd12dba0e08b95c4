"""`inspect_checkpoint` in a process of its own, for files that a stranger may have made."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from sip_explorer.models.exported_files import ExportedFile
from sip_explorer.models.inspection import CheckpointInfo, TensorEntry, inspect_checkpoint
from sip_explorer.records.probe import MEGABYTES, SECONDS, probe


def probe_checkpoint(
    path: Path | str,
    weights: str | None = None,
    *,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> CheckpointInfo:
    """Return what `inspect_checkpoint` returns, found in a child with limits of time and memory.

    Raises
    ------
    SipError
        What `inspect_checkpoint` raises, or that the file takes more than the limits to look into.
    """
    values = probe("checkpoint", str(path), {"weights": weights}, seconds=seconds, megabytes=megabytes)
    entries = tuple(TensorEntry(key, tuple(shape), dtype) for key, shape, dtype in values.pop("entries"))
    metadata = values.pop("metadata")
    for name in ("foreign", "beside"):
        if name in metadata and isinstance(metadata[name], list):
            metadata[name] = tuple(metadata[name])
    if "program" in metadata and values["kind"] == "exported":
        metadata["program"] = _program(metadata["program"])
    for name in ("variants", "place"):
        values[name] = tuple(values[name])
    return CheckpointInfo(Path(path), entries=entries, metadata=metadata, **values)


def look(path: str, weights: str | None = None) -> dict[str, Any]:
    """Return what `inspect_checkpoint` finds as plain values that JSON knows; runs in the child."""
    info = inspect_checkpoint(path, weights)
    values = dict(vars(info))
    del values["path"]
    values["entries"] = [(entry.key, entry.shape, entry.dtype) for entry in info.entries]
    if info.kind == "exported":
        values["metadata"] = {**info.metadata, "program": asdict(info.metadata["program"])}
    return values


def _program(values: dict[str, Any]) -> ExportedFile:
    return ExportedFile(
        **{
            **values,
            "tensors": tuple((key, tuple(shape), dtype) for key, shape, dtype in values["tensors"]),
            "input_shape": tuple(values["input_shape"]),
            "carries": tuple(values["carries"]),
        }
    )
