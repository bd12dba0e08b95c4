"""What is known of an image, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

STATE_WORDS = {
    "unpainted": "not painted yet",
    "painted": "painted",
    "empty": "nothing salient, on purpose",
    "skipped": "skipped",
}


def class_name(workspace: Workspace, image_id: int) -> str:
    """Return the name of the image's class."""
    label = int(workspace.labels([image_id])[0])
    return workspace.classes[label] if 0 <= label < len(workspace.classes) else "no class"


def image_facts(workspace: Workspace, image_id: int, annotator: str) -> str:
    """Return class, size, split and state of an image, one line each."""
    height, width = workspace.image_shape(image_id)[:2]
    split = workspace.split_of([image_id])[0]
    state = workspace.states([image_id], annotator)[0]
    return (
        f"{class_name(workspace, image_id)}\n"
        f"{width} × {height} pixels · image {image_id} · {split}\n{STATE_WORDS[state]}"
    )
