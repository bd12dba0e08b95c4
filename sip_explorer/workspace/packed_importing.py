"""A new workspace from a packed image file, its segmentations and boxes included."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started
from sip_explorer.workspace.creation import fill_workspace, packed_rows
from sip_explorer.workspace.folders import building
from sip_explorer.workspace.pictures import PACKED

_PIECE = 8 << 20  # bytes copied between two looks at the token
_BREATH_SECONDS = 0.03


def import_packed(
    source: Path | str,
    workspace_path: Path | str,
    *,
    name: str | None = None,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Make a workspace at ``workspace_path`` with a copy of the packed file ``source``.

    Images keep their rows as ids, and their labels, splits and collections. Until the end nothing
    stands at ``workspace_path``.

    Yields
    ------
    Started, Progress; at the end Finished whose summary has ``workspace``, ``images``, ``train``,
    ``test``, ``classes``, ``segmentations`` and ``boxes`` (images that have any).

    Raises
    ------
    SipError
        If the file is no packed image file, or the workspace cannot be made.
    """
    from sip_explorer.data import PackedImages

    source, target = Path(source).absolute(), Path(workspace_path).absolute()
    token = token or CancelToken()
    with building(target) as folder:
        yield None
        with PackedImages.open(source) as packed:
            yield Started(f"import {source.name}", len(packed))
            yield from _copy(source, folder / PACKED, len(packed), token)
            test = packed.split == "test"
            rows = packed_rows(packed.labels, test, packed.shape)
            every = range(len(packed))
            segmented = len(packed) if packed.has_segmentations else 0
            boxed = len(packed.boxes(every) or {})
            fill_workspace(
                folder,
                name or packed.name or source.stem,
                packed.classes,
                rows,
                packed=folder / PACKED,
                collections=packed.collections,
            )
        token.check()
    yield Artefact("workspace", str(target))
    yield Finished(
        "completed",
        {
            "workspace": str(target),
            "images": len(rows),
            "train": int((~test).sum()),
            "test": int(test.sum()),
            "classes": len(packed.classes),
            "segmentations": segmented,
            "boxes": boxed,
        },
    )


def _copy(source: Path, target: Path, images: int, token: CancelToken) -> Iterator[Event | None]:
    """Copy the file in pieces, with the share that is done told as a number of images."""
    breath, done = time.monotonic(), 0
    try:
        with open(source, "rb") as reader, open(target, "wb") as writer:
            size = max(1, os.fstat(reader.fileno()).st_size)
            while piece := reader.read(_PIECE):
                token.check()
                writer.write(piece)
                done += len(piece)
                if time.monotonic() - breath > _BREATH_SECONDS:
                    breath = time.monotonic()
                    yield Progress(images * done // size, images, "copying the images")
            writer.flush()
            os.fsync(writer.fileno())
    except OSError as error:
        reason = error.strerror or error
        raise SipError(f"{source} cannot be copied to {target.parent.parent} ({reason}).") from None
    yield Progress(images, images, "writing the catalogue")
