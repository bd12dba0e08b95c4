"""Pictures without labels: one, several, or those of a folder."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sip_explorer.data.sources.listing import Source, SourceImage
from sip_explorer.data.walking import Folder, find_pictures
from sip_explorer.records import CancelToken, SipError


def read_flat_folder(folder: Folder, token: CancelToken) -> Source | None:
    """List the pictures of a folder and of those below; None where there are none."""
    names, problems = find_pictures(folder.path, "", token)
    if not names:
        return None
    images = [SourceImage(name, path=folder.path / name) for name in names]
    notes = (f"{len(images):,} pictures without labels.",)
    return Source("pictures without labels", folder.path, folder.path.name, (), images, notes, problems)


def open_pictures(paths: Sequence[Path | str]) -> Source:
    """List single picture files, without labels, in the order given; one given twice counts once.

    Raises
    ------
    SipError
        If ``paths`` is empty.
    """
    files = list(dict.fromkeys(Path(path) for path in paths))
    if not files:
        raise SipError("No pictures were chosen; choose a picture or a folder of them.")
    often = Counter(path.name for path in files)
    images = [SourceImage(path.name if often[path.name] == 1 else str(path), path=path) for path in files]
    if len(files) == 1:
        return Source("a picture", files[0], files[0].stem, (), images, ("A picture without a label.",))
    parent = files[0].parent
    notes = (f"{len(images):,} pictures without labels.",)
    return Source("pictures without labels", parent, parent.name, (), images, notes)
