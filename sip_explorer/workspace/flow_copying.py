"""A flow in the published format brought into a workspace, as a file of ours that needs nothing beside it."""

from collections.abc import Generator
from pathlib import Path

from sip_explorer.models.choice import Choice
from sip_explorer.records import CancelToken, Progress
from sip_explorer.workspace.folders import slug

_CHECKPOINTS = ("checkpoint", "model", "last", "best")  # names that say nothing


def telling_name(path: Path) -> str:
    """Return what a checkpoint may be called: its folder's name where its own says nothing."""
    folder = path.parent.parent if path.parent.name == "check" else path.parent  # DenseFlow's check/
    return folder.name if path.stem in _CHECKPOINTS and folder.name else path.stem


def flow_copied_in(
    source: Path, folder: Path, name: str | None, choice: Choice | None, token: CancelToken | None = None
) -> Generator[Progress, None, tuple[Path, str]]:
    """Read a ProtoFlow or DenseFlow checkpoint and write it into ``folder``; return where, and its SHA-256.

    ``choice`` says which weights (the plain ones if None) and how the classes are called. The copy
    keeps every tensor of the flow in float32; optimiser and averages stay behind.

    Raises
    ------
    SipError
        See `load_published`.
    """
    from sip_explorer.models import file_digest
    from sip_explorer.protoflow import load_published, save_protoflow

    yield Progress(0, 2, f"reading {source.name}")
    weights, classes = (None, None) if choice is None else (choice.weights, choice.classes)
    flow = load_published(source, weights=weights or "model", classes=classes, measure=False)
    if token is not None:
        token.check()
    yield Progress(1, 2, f"writing {source.name}")
    stem = slug(name or telling_name(source))
    target, number = folder / f"{stem}.safetensors", 1
    while target.exists():
        number += 1
        target = target.with_name(f"{stem}-{number}.safetensors")
    try:
        save_protoflow(target, flow)
        yield Progress(2, 2, f"wrote {target.name}")
        return target, file_digest(target, token)
    except BaseException:
        target.unlink(missing_ok=True)  # a file that no workspace knows of
        raise
