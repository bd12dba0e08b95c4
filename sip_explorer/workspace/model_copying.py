"""A checkpoint copied into a workspace: inspected, hashed on its way, under a name of its own."""

import hashlib
from collections.abc import Generator, Mapping
from pathlib import Path

from sip_explorer.records import CancelToken, Progress, SipError, atomic_path
from sip_explorer.workspace.folders import slug

_PIECE = 8 << 20


def copied_in(
    source: Path, folder: Path, name: str | None, token: CancelToken | None = None
) -> Generator[Progress, None, tuple[Path, str]]:
    """Copy a checkpoint into ``folder``; return where it lies and its SHA-256.

    Where the same bytes lie there under the same name, they are not copied again.

    Yields
    ------
    Progress
        In megabytes.

    Raises
    ------
    SipError
        If the file is no checkpoint, holds no weights, is no sound ProtoFlow though it says so, or cannot
        be copied.
    Cancelled
        ``token`` was cancelled; nothing is left behind.
    """
    from sip_explorer.models import file_digest, inspect_checkpoint
    from sip_explorer.models.inspection import METADATA_KEY
    from sip_explorer.models.refusals import check_tensors
    from sip_explorer.protoflow import load_protoflow

    info = inspect_checkpoint(source)
    if info.kind != "exported":
        check_tensors(info)  # it could be listed, and would then fail wherever it is used
    said = info.metadata.get(METADATA_KEY)
    if isinstance(said, Mapping) and said.get("kind") == "protoflow":
        yield Progress(0, 0, f"checking {source.name}")
        load_protoflow(source)  # against its own plan, and that its values are numbers
    suffix = {"safetensors": ".safetensors", "exported": ".pt2"}.get(info.kind, ".pt")
    stem = slug(source.stem if name is None else name)
    target, number, sha256 = folder / f"{stem}{suffix}", 1, ""
    while target.exists():
        if target.stat().st_size == info.size_bytes:
            sha256 = sha256 or file_digest(source, token)
            if file_digest(target, token) == sha256:
                return target, sha256
        number += 1
        target = target.with_name(f"{stem}-{number}{suffix}")
    try:
        with atomic_path(target) as temporary:
            sha256 = yield from _copy(source, temporary, info.size_bytes, token)
    except OSError as error:
        raise SipError(f"{source} cannot be copied to {folder} ({error.strerror}).") from None
    return target, sha256


def _copy(source: Path, target: Path, size: int, token: CancelToken | None) -> Generator[Progress, None, str]:
    digest = hashlib.sha256()
    done = 0
    with open(source, "rb") as read, open(target, "wb") as written:
        while piece := read.read(_PIECE):
            if token is not None:
                token.check()
            digest.update(piece)
            written.write(piece)
            done += len(piece)
            yield Progress(done >> 20, max(1, size >> 20), f"copying {source.name}")
    return digest.hexdigest()
