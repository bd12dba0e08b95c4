"""Images in: looked at first, then a new workspace of them, or into the open one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sip_explorer.records import CancelToken, Event
from sip_explorer.workspace.import_adding import add_images
from sip_explorer.workspace.import_new import import_images
from sip_explorer.workspace.import_preview import ImportPreview, preview_images
from sip_explorer.workspace.import_splits import TEST_SHARE

__all__ = [
    "TEST_SHARE",
    "ImportPreview",
    "add_images",
    "import_class_folders",
    "import_images",
    "preview_images",
]


def import_class_folders(
    source: Path | str,
    workspace_path: Path | str,
    *,
    name: str | None = None,
    copy: bool = False,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Do `import_images`; the name by which the window still knows it."""
    return import_images(source, workspace_path, name=name, copy=copy, token=token)
