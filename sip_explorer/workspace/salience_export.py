"""A workspace's masks as files that other programs read."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.salience import MERGES, merged
from sip_explorer.salience.exchange import Format, OutgoingMask, format_named, is_hard, is_within
from sip_explorer.workspace.annotators import Annotator
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.image_names import ImageNames
from sip_explorer.workspace.workspace import Workspace

_BREATH_SECONDS = 0.03


@dataclass(frozen=True)
class ExportPreview:
    """What an export would write.

    Attributes
    ----------
    masks, images
        So many masks of so many images.
    empty
        Of these masks, so many are zeros: images left empty on purpose.
    soft
        So many have values between 0 and 255.
    annotators
        Whose they are.
    """

    masks: int
    images: int
    empty: int
    soft: int
    annotators: tuple[str, ...]


def preview_export(
    workspace: Workspace,
    ids: Ids | None = None,
    annotators: Sequence[int | str] | None = None,
    *,
    merge: str = "",
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Count what `export_salience` would write; last comes ``Artefact("preview", data=ExportPreview)``."""
    token = token or CancelToken()
    images: set[int] = set()
    names: dict[str, None] = {}
    masks = empty = soft = 0
    breath = time.monotonic()
    yield Started("count masks")
    for mask in _outgoing(workspace, ids, annotators, merge):
        token.check()
        masks += 1
        images.add(mask.number)
        names[mask.annotator] = None
        empty += mask.state == "empty"
        soft += not is_hard(mask.mask)
        if time.monotonic() - breath > _BREATH_SECONDS:
            breath = time.monotonic()
            yield Progress(masks, 0, f"{masks:,} masks so far")
    yield Artefact("preview", data=ExportPreview(masks, len(images), empty, soft, tuple(names)))
    yield Finished()


def export_salience(
    workspace: Workspace,
    path: Path,
    format: str,
    ids: Ids | None = None,
    annotators: Sequence[int | str] | None = None,
    *,
    merge: str = "",
    force: bool = False,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Write the masks of images that were painted or left empty on purpose (as zeros).

    Nothing appears at ``path`` before everything is written.

    Parameters
    ----------
    path
        The file, or the folder, to write; a file's ending is added where it has none.
    format
        A key of `exchange.FORMATS`.
    ids
        Of which images; None: of all.
    annotators
        Whose, by name or id; None: of every person.
    merge
        One of `salience.MERGES`: the masks of each image become one; "": each annotator's own.
    force
        Whether files that are there already may be replaced.

    Yields
    ------
    Progress, Notice; at the end Artefact("salience", path) and Finished whose summary has
    ``masks``, ``empty``, ``file``.

    Raises
    ------
    SipError
        If there is nothing to export, the target is there already, lies in the workspace or cannot be
        written, the format has no room for several annotators, or a name is unknown.
    """
    token = token or CancelToken()
    chosen = format_named(format)
    target = target_path(path, format)
    if is_within(target, workspace.path):  # what is there is not to be replaced, whatever is allowed
        raise SipError(f"{target} lies in the workspace {workspace.name} itself: choose a place outside.")
    yield Started(f"export salience to {target.name}")
    total = _total(workspace, ids, annotators, merge)
    if not total:
        raise SipError(
            f"None of these images of {workspace.name} has salience by these annotators: choose others."
        )
    yield from _told_before(chosen, workspace, ids, annotators, merge, token)
    written = empty = 0

    def counted() -> Iterator[OutgoingMask]:
        nonlocal written, empty
        for mask in _outgoing(workspace, ids, annotators, merge):
            written += 1
            empty += mask.state == "empty"
            yield mask

    breath = time.monotonic()
    writing = chosen.write(target, counted(), force=force)
    try:
        for name in writing:
            token.check()
            if time.monotonic() - breath > _BREATH_SECONDS:
                breath = time.monotonic()
                yield Progress(written, total, name)
    except OSError as error:
        reason = error.strerror or error
        raise SipError(
            f"{target} cannot be written ({reason}): make room or choose another place."
        ) from error
    finally:
        writing.close()  # what was begun is taken away
    yield Progress(total, total, "masks")
    if empty:
        yield Notice(empty_words(empty))
    yield Artefact("salience", str(target))
    yield Finished("completed", {"masks": written, "empty": empty, "file": str(target)})


def _told_before(
    chosen: Format,
    workspace: Workspace,
    ids: Ids | None,
    annotators: Sequence[int | str] | None,
    merge: str,
    token: CancelToken,
) -> Iterator[Event | None]:
    """Say what the format does not keep; only then is it written."""
    soft = 0
    if not chosen.keeps_soft:
        for event in preview_export(workspace, ids, annotators, merge=merge, token=token):
            if isinstance(event, Artefact):
                soft = event.data.soft
            elif event is None or isinstance(event, Progress):
                yield None
    loss = chosen.loss(soft)
    if loss:
        yield Notice(loss)


def target_path(path: Path, format: str) -> Path:
    """Return where `export_salience` writes: ``path``, with the format's ending where it has none."""
    suffix = format_named(format).suffix
    return Path(f"{path}{suffix}") if suffix and path.name and not path.suffix else path


def empty_words(count: int) -> str:
    """Return one sentence on images that were left empty on purpose."""
    which = "1 of the masks is" if count == 1 else f"{count:,} of the masks are"
    return f"{which} zeros: images that were left empty on purpose."


def _people(workspace: Workspace, annotators: Sequence[int | str] | None) -> list[Annotator]:
    if annotators is None:
        return workspace.annotators()
    return [workspace.annotator(who) for who in dict.fromkeys(annotators)]


def _total(workspace: Workspace, ids: Ids | None, annotators: Sequence[int | str] | None, merge: str) -> int:
    images = workspace.image_ids() if ids is None else ids
    painted = [
        [state in ("painted", "empty") for state in workspace.states(images, person.id)]
        for person in _people(workspace, annotators)
    ]
    return sum(map(any, zip(*painted, strict=True))) if merge else sum(map(sum, painted))


def _outgoing(
    workspace: Workspace, ids: Ids | None, annotators: Sequence[int | str] | None, merge: str
) -> Iterator[OutgoingMask]:
    """Yield the masks with the names that they go by; merged, one an image."""
    if merge and merge not in MERGES:
        raise SipError(f"Masks cannot be merged by {merge!r}: choose one of {', '.join(MERGES)}.")
    images = workspace.image_ids() if ids is None else ids
    people = {person.id: person for person in _people(workspace, annotators)}
    names = ImageNames(workspace)
    when = {person: workspace.finished_at(person) for person in people}
    everyone = f"{merge} of {', '.join(person.name for person in people.values())}"
    labels = workspace.labels(images).tolist()
    for label, (image, masks) in zip(labels, workspace.all_masks(images, list(people)), strict=True):
        if not masks:
            continue
        name, stem = names.outgoing(image)
        words = workspace.classes[label] if label >= 0 else ""
        if merge:
            at = max(when[person].get(image, 0.0) for person in masks)
            mask = merged(list(masks.values()), merge)
            state = "painted" if mask.any() else "empty"
            yield OutgoingMask(name, stem, everyone, mask, words, image, state, at)
            continue
        for person, mask in masks.items():
            state = "painted" if mask.any() else "empty"
            at = when[person].get(image, 0.0)
            yield OutgoingMask(name, stem, people[person].name, mask, words, image, state, at)
