"""Which format a folder or a file of images has, found by what it holds."""

import zipfile
from itertools import islice
from pathlib import Path

from sip_explorer.data.picture_faults import no_picture
from sip_explorer.data.sources import class_folders, pictures
from sip_explorer.data.sources.listing import Source
from sip_explorer.data.walking import Folder, has_pictures, is_picture_name, look_into, to_convert
from sip_explorer.records import CancelToken, SipError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_DEEPEST = 4  # so many folders that hold nothing but one folder are gone through
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar")


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
    if not path.is_file():
        raise SipError(f"{path} is no plain file; choose a folder or a file of images.")
    return _open_file(path, token)


def _open_folder(folder: Folder, token: CancelToken, deeper: int) -> Source:
    found = _known_set(folder, token) or _by_table(folder, token)
    if found is not None:
        return found
    if class_folders.has_splits(folder):
        return class_folders.read_splits(folder, token)
    inner = _only_set(folder) if deeper else None
    if inner is not None:
        return _open_folder(inner, token, deeper - 1)
    if class_folders.has_classes(folder):
        return class_folders.read_classes(folder, token)
    arrays = [name for name in folder.files if name.lower().endswith((".h5", ".hdf5", ".npz"))]
    if len(arrays) == 1:
        return _open_file(folder.path / arrays[0], token)
    if len(arrays) > 1:
        raise SipError(f"{folder.path} holds the files {', '.join(arrays[:4])}; choose one of them.")
    flat = pictures.read_flat_folder(folder, token)
    if flat is not None:
        return flat
    archives = [name for name in folder.files if name.lower().endswith(_ARCHIVES)]
    if archives:
        for name in archives:
            if "cifar" in name.lower():
                return _open_file(folder.path / name, token)
        raise SipError(f"{folder.path} holds no images but the archive {archives[0]}; unpack it first.")
    raise SipError(f"{folder.path} holds no images that can be read; choose a folder with pictures in it.")


def _known_set(folder: Folder, token: CancelToken) -> Source | None:
    """List a published set by the names of its files."""
    from sip_explorer.data.sources import cifar, cub, idx_files, pets

    if "workspace.toml" in folder.files:
        raise SipError(f"{folder.path} is a workspace of this program; open it instead of importing it.")
    if cub.is_cub(folder):
        return cub.read_cub(folder, token)
    if pets.is_pets(folder):
        return pets.read_pets(folder, token)
    if cifar.is_cifar(folder):
        return cifar.read_cifar(folder, token)
    if idx_files.is_idx(folder):
        return idx_files.read_idx_files(folder, token)
    return None


def _by_table(folder: Folder, token: CancelToken) -> Source | None:
    from sip_explorer.data.sources import authors_table, tables

    table = authors_table.find_authors_table(folder)
    if table is not None:
        return authors_table.read_authors_table(table, token)
    return tables.read_table_folder(folder, token)


def _only_set(folder: Folder) -> Folder | None:
    """Return the folder below that stands for this one: its only one, or the only published set."""
    if any(is_picture_name(name) for name in folder.files):
        return None
    if len(folder.folders) == 1:
        return look_into(folder.path / folder.folders[0])
    holding = list(islice((name for name in folder.folders if has_pictures(folder.path / name)), 2))
    if len(holding) == 1:
        return look_into(folder.path / holding[0])
    names = {name.lower(): name for name in folder.folders}
    known = [names[name] for name in ("raw", *_PUBLISHED) if name in names]
    if len(known) > 1 and "raw" not in names:
        told = " and ".join(known)
        raise SipError(f"{folder.path} holds {told}; choose one of these folders.")
    return look_into(folder.path / known[0]) if known else None


_PUBLISHED = (
    *("cifar-10-batches-py", "cifar-100-python", "mnist", "fashionmnist", "kmnist", "emnist", "qmnist"),
    *("oxford-iiit-pet", "cub_200_2011"),
)


def _open_file(path: Path, token: CancelToken) -> Source:
    head = _first_bytes(path)
    name = path.name.lower()
    if head.startswith(_HDF5):
        from sip_explorer.data.sources.hdf5 import read_hdf5

        return read_hdf5(path, token)
    if is_picture_name(name):
        return pictures.open_pictures([path])
    if head.startswith(b"PK"):
        return _open_zip(path, token)
    if name.endswith((".csv", ".tsv")):
        return _open_table(path, token)
    from sip_explorer.data.sources import cifar, idx_files

    if idx_files.is_idx_name(path.name):
        return idx_files.read_idx_files(look_into(path.parent), token, path.name)
    if name.endswith((".tar", ".tar.gz", ".tgz")):
        found = cifar.read_archive(path, token)
        if found is not None:
            return found
    beside = look_into(path.parent)
    if head.startswith(b"\x80") and cifar.is_cifar(beside):
        return cifar.read_cifar(beside, token)
    if "labels" in name and idx_files.is_idx(beside):
        raise SipError(f"{path} holds labels; choose the file of the images beside it, or the folder.")
    if name.endswith(_ARCHIVES):
        raise SipError(f"{path} is an archive; unpack it and choose the folder.")
    if name.endswith(".npy"):
        raise SipError(f"{path} is one array without labels; save images and labels with numpy.savez.")
    if to_convert(name) or head[4:8] == b"ftyp" or b"<svg" in head or b"<html" in head.lower():
        raise SipError(no_picture(path))
    if not head:
        raise SipError(f"{path} is empty; fetch it again.")
    raise SipError(
        f"{path} is no set of images that can be read; choose a folder, a picture, a CSV, HDF5 or npz file."
    )


def _open_zip(path: Path, token: CancelToken) -> Source:
    from sip_explorer.data.sources.npz import read_npz

    try:
        with zipfile.ZipFile(path) as archive:
            is_npz = path.suffix.lower() == ".npz" or all(
                name.endswith(".npy") for name in archive.namelist()
            )
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise SipError(f"{path} is damaged or cut short ({error}); fetch it again.") from error
    if not is_npz:
        raise SipError(f"{path} is an archive; unpack it and choose the folder.")
    return read_npz(path, token)


def _open_table(path: Path, token: CancelToken) -> Source:
    from sip_explorer.data.sources import authors_table, tables
    from sip_explorer.data.sources.table_rows import read_table

    table = read_table(path)
    if authors_table.is_authors_table(table):
        return authors_table.read_authors_table(table, token)
    return tables.read_table_file(path, token)


def _first_bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(512)
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror}); choose another file.") from error
