"""Masks as picture files in folders: ``annotator/class/name.png``."""

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from sip_explorer.records import SipError
from sip_explorer.salience.exchange.files import files_in, is_within
from sip_explorer.salience.exchange.foreign import ForeignMask, OutgoingMask, Reading, Skipped
from sip_explorer.salience.exchange.names import file_part, part_text, safe_path
from sip_explorer.salience.exchange.picture_file import SUFFIXES, picture_bytes, read_picture
from sip_explorer.salience.exchange.staging import place_in, staged_folder


def read(path: Path) -> Iterator[Reading]:
    """Read every picture in a folder and its folders, or one picture, as a mask.

    The name of the image is what the file says of itself, where this program wrote it; else its
    path within the folder, without the ending. Links to folders are not followed.
    """
    folder = path if path.is_dir() else path.parent
    for file in files_in(path, SUFFIXES):
        if isinstance(file, Skipped):
            yield file
            continue
        name = file.relative_to(folder).as_posix()
        try:
            if not is_within(file, folder):
                raise SipError(
                    f"{file} is a link that leads out of its folder, or nowhere: copy the picture into it."
                )
            mask, note, about = read_picture(file, str(file))
        except SipError as error:
            yield Skipped(name, str(error))
            continue
        path_name = "/".join(map(part_text, _without_suffix(name).split("/")))
        yield ForeignMask(about.get("image", path_name), about.get("annotator"), mask, str(file), note)


def write(path: Path, masks: Iterable[OutgoingMask], *, force: bool = False) -> Generator[str, None, None]:
    """Write each mask to ``path/annotator/class/name.png``, 8-bit grey; yield its image's name."""
    with staged_folder(path, force=force) as folder:
        for mask in masks:
            name = f"{file_part(mask.annotator)}/{safe_path(mask.stem)}.png"
            place_in(folder, name).write_bytes(picture_bytes(mask))
            yield mask.image


def holds_pictures(folder: Path) -> bool:
    """Whether a folder or one of its folders holds a picture."""
    return any(isinstance(file, Path) for file in files_in(folder, SUFFIXES))


def _without_suffix(name: str) -> str:
    return name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in SUFFIXES else name
