"""What the loading dialogue says of a checkpoint before it is loaded: found without executing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import SipError

if TYPE_CHECKING:
    from sip_explorer.models import CheckpointInfo

_KINDS = {"safetensors": "safetensors", "torch": "PyTorch file", "exported": "exported program"}
_BESIDE = 4
_LISTED = 500
OWN_CLASS = "package.module:Class"


@dataclass(frozen=True)
class ModelLook:
    """A checkpoint in words.

    Attributes
    ----------
    path : Path
    facts : tuple of str
        Kind, size, numbers, where the weights lie: short phrases for one line.
    architecture : str
        As recognised, "" where it was not.
    why : str
        Why it is believed, one sentence.
    others : tuple of str
        Further architectures that the keys fit.
    names : tuple of str
        Every architecture to choose from.
    variants : tuple of str
        The weights that the file holds, the default first.
    exported : bool
        An exported program: its architecture is its own.
    carries : tuple of str
        What in it could run code when it is loaded.
    flow : bool
        A ProtoFlow: nothing to choose but the weights, where it holds several.
    licence : str
        As the file says.
    keys : tuple of str
        The first tensors with their shapes, for people.
    refusal, detail : str
        Why it cannot be used, in one sentence, and lines to copy; "" where it can.
    """

    path: Path
    facts: tuple[str, ...]
    architecture: str = ""
    why: str = ""
    others: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    exported: bool = False
    carries: tuple[str, ...] = ()
    flow: bool = False
    licence: str = ""
    keys: tuple[str, ...] = ()
    refusal: str = ""
    detail: str = ""


def look_into(path: Path) -> ModelLook:
    """Return what a checkpoint holds; no tensor is read.

    Raises
    ------
    SipError
        If the file is no checkpoint, is damaged or not there.
    """
    from sip_explorer.models import probe_checkpoint, recognition
    from sip_explorer.models.catalogue import architecture_names
    from sip_explorer.models.inspection import METADATA_KEY
    from sip_explorer.models.recognised import why_recognised
    from sip_explorer.models.refusals import check_tensors
    from sip_explorer.protoflow import published_weights
    from sip_explorer.protoflow.published.keys import flow_prefix

    info = probe_checkpoint(path)  # a stranger may have made it
    ours = info.metadata.get(METADATA_KEY)
    said: Mapping[str, object] = ours if isinstance(ours, Mapping) else {}
    origin = said.get("origin")
    licence = str(origin.get("licence", "")) if isinstance(origin, Mapping) else ""
    if said.get("kind") == "protoflow":
        return ModelLook(path, _facts(info), flow=True, licence=licence)
    if flow_prefix(info.shapes) is not None:
        return ModelLook(path, _facts(info), flow=True, variants=published_weights(path))
    exported = info.kind == "exported"
    refusal = detail = ""
    if not exported:
        try:
            check_tensors(info)
        except SipError as error:
            refusal, detail = str(error), error.detail
    shapes = info.shapes
    keys = recognition.find_layout(shapes).keys
    fits = recognition.candidates({key: shapes[stored] for key, stored in keys.items()})
    why = why_recognised(info)
    return ModelLook(
        path,
        _facts(info),
        architecture=info.architecture,
        why=f"{why[:1].upper()}{why[1:]}.",
        others=() if said or exported else tuple(name for name in fits if name != info.architecture),
        names=architecture_names(),
        variants=() if exported else info.variants,
        exported=exported,
        carries=info.metadata["program"].carries if exported else (),
        licence=licence,
        keys=_keys(info),
        refusal=refusal,
        detail=detail,
    )


def _facts(info: CheckpointInfo) -> tuple[str, ...]:
    facts = [_KINDS.get(info.kind, info.kind), _bytes(info.size_bytes)]
    if info.entries:
        numbers = 0
        for entry in info.entries:
            count = 1
            for length in entry.shape:
                count *= length
            numbers += count
        tensors = "1 tensor" if len(info.entries) == 1 else f"{len(info.entries):,} tensors"
        facts.append(f"{millions(numbers)} in {tensors}")
    if info.layout:
        where = f"weights under “{info.layout}”"
        beside = [str(each) for each in info.metadata.get("beside") or ()]
        if beside:
            more = f" and {len(beside) - _BESIDE} more" if len(beside) > _BESIDE else ""
            where += f", beside {', '.join(beside[:_BESIDE])}{more}"
        facts.append(where)
    return tuple(facts)


def _keys(info: CheckpointInfo) -> tuple[str, ...]:
    lines = [
        f"{entry.key}   {' × '.join(map(str, entry.shape)) or 'scalar'}   {entry.dtype}"
        for entry in info.entries[:_LISTED]
    ]
    more = len(info.entries) - _LISTED
    return (*lines, f"… and {more:,} more") if more > 0 else tuple(lines)


def millions(count: int) -> str:
    """Return a number of parameters in words."""
    if count < 100_000:
        return f"{count:,} parameters"
    return (
        f"{count / 1e6:,.1f} million parameters" if count >= 1e6 else f"{count / 1e6:.2f} million parameters"
    )


def _bytes(size: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} bytes"
