"""Which format a folder or a file of images has, found by what it holds."""

from pathlib import Path

from sip_explorer.data.sources import class_folders
from sip_explorer.data.sources.listing import Source
from sip_explorer.data.walking import Folder, look_into
from sip_explorer.records import CancelToken, SipError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_DEEPEST = 3  # so many folders that hold nothing but one folder are gone through


def open_source(path: Path | str, *, token: CancelToken | None = None) -> Source:
    """List the images of a folder or a file, whatever format of `sip_explorer.data.sources` it has.

    Nothing is asked: the format is found by the names and the first bytes of what lies there. A
    folder whose only content is another folder stands for that.

    Raises
    ------
    SipError
        If nothing is there, it cannot be read, or it is of no known format.
    Cancelled
        If ``token`` was cancelled.
    """
    path, token = Path(path), token or CancelToken()
    if path.is_dir():
        return _open_folder(look_into(path), token, _DEEPEST)
    if not path.exists():
        raise SipError(f"{path} is not there; choose a folder or a file of images.")
    return _open_file(path, token)


def _open_folder(folder: Folder, token: CancelToken, deeper: int) -> Source:
    if class_folders.has_splits(folder):
        return class_folders.read_splits(folder, token)
    if class_folders.has_classes(folder):
        return class_folders.read_classes(folder, token)
    if deeper and len(folder.folders) == 1:
        return _open_folder(look_into(folder.path / folder.folders[0]), token, deeper - 1)
    raise SipError(f"{folder.path} holds no images that can be read; choose a folder of class folders.")


def _open_file(path: Path, token: CancelToken) -> Source:
    head = _first_bytes(path)
    if head.startswith(_HDF5):
        from sip_explorer.data.sources.packed_file import read_packed

        return read_packed(path, token)
    raise SipError(f"{path} is no set of images that can be read; choose a folder of class folders.")


def _first_bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(512)
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror}); choose another file.") from error
