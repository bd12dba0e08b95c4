"""What an import would do, before it is done."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, Started
from sip_explorer.salience.exchange import Skipped
from sip_explorer.workspace.salience_matching import (
    Matched,
    Paths,
    counted,
    known_annotator,
    matched_masks,
    unknown_names,
)
from sip_explorer.workspace.workspace import Workspace

_BREATH_SECONDS = 0.03
_SHOWN = 5  # sentences on what cannot be used


@dataclass
class ImportPreview:
    """What an import would do.

    Attributes
    ----------
    masks
        So many have an image here.
    images
        Of so many images.
    annotators, new_annotators
        Whose they become; those who are not there yet.
    painted
        So many belong to images that the annotator has painted, or left empty, already.
    other_size
        The images whose masks have another size.
    unknown
        Names that belong to no image here.
    skipped
        One sentence for each thing that cannot be used.
    notes
        What is lost by reading these files, one sentence each.
    """

    masks: int = 0
    images: int = 0
    annotators: list[str] = field(default_factory=list)
    new_annotators: list[str] = field(default_factory=list)
    painted: int = 0
    other_size: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self, workspace: str) -> list[str]:
        """Return what a person reads before the import, one sentence a line."""
        lines = [
            f"{counted(self.masks, 'mask')} for {counted(self.images, 'image')} of {workspace}."
            if self.masks
            else f"No mask here belongs to an image of {workspace}."
        ]
        if self.new_annotators:
            lines.append(f"New here: {', '.join(self.new_annotators)}.")
        if self.unknown:
            lines.append(unknown_names(self.unknown, workspace))
        if self.other_size:
            first = ", ".join(self.other_size[:_SHOWN]) + (", …" if len(self.other_size) > _SHOWN else "")
            lines.append(
                f"Of another size than the image: {counted(len(self.other_size), 'mask')}, {first}; a mask "
                "that is resized is not exact."
            )
        if self.painted:
            lines.append(f"Of images that are painted already: {counted(self.painted, 'mask')}.")
        lines += self.notes
        lines += self.skipped[:_SHOWN]
        if len(self.skipped) > _SHOWN:
            lines.append(f"{len(self.skipped) - _SHOWN:,} more cannot be used for reasons like these.")
        return lines


def preview_import(
    workspace: Workspace,
    path: Paths,
    *,
    format: str | None = None,
    annotator: str | None = None,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Read everything and change nothing; last comes ``Artefact("preview", data=ImportPreview)``.

    Parameters and errors as for `import_salience`; masks without an annotator stand under "".
    """
    token = token or CancelToken()
    yield Started("look at masks")
    found = ImportPreview()
    images: set[int] = set()
    breath = time.monotonic()
    for item in matched_masks(workspace, path, format, annotator, found.unknown, named=False):
        token.check()
        if isinstance(item, Skipped):
            found.skipped.append(item.sentence)
        elif isinstance(item, Matched):
            found.masks += 1
            images.add(item.image)
            if item.mask.shape != workspace.image_shape(item.image)[:2]:
                found.other_size.append(workspace.image_name(item.image))
            known = known_annotator(workspace, item.annotator)
            if known is not None and workspace.states([item.image], known)[0] in ("painted", "empty"):
                found.painted += 1
            if item.annotator not in found.annotators:
                found.annotators.append(item.annotator)
                found.new_annotators += [item.annotator] if known is None and item.annotator else []
            if item.note and item.note not in found.notes:
                found.notes.append(item.note)
        if time.monotonic() - breath > _BREATH_SECONDS:
            breath = time.monotonic()
            yield Progress(found.masks, 0, f"{found.masks:,} masks so far")
    found.images = len(images)
    yield Artefact("preview", data=found)
    yield Finished()
