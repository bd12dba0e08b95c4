"""A look into a torch file that executes nothing; needs no torch.

A torch file is a ZIP archive with a pickle ``data.pkl`` and one member a storage (before PyTorch 1.6:
a row of pickles, then the storages). Nothing is imported and no tensor data are read.
"""

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sip_explorer.models.torch_pickles import PickleReader
from sip_explorer.records import SipError

OLD_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic number of the old format
_PICKLE_LIMIT = 64 * 2**20


@dataclass(frozen=True)
class TorchFile:
    """What a torch file holds, without its tensors' data.

    Attributes
    ----------
    content : object
        Plain containers with `StoredTensor` for tensors and `Inert` for all that is foreign.
    foreign : tuple of str
        The functions and classes that it names besides tensors.
    places : dict of str -> (int, int)
        The first byte and the number of bytes of each storage in the file, where they lie there as
        they are; a storage that is compressed has none.
    members : dict of str -> str
        The name in the archive of each storage that is compressed.
    """

    content: object
    foreign: tuple[str, ...]
    places: Mapping[str, tuple[int, int]]
    members: Mapping[str, str]


def read_torch(path: Path) -> TorchFile:
    """Return what a torch file holds.

    Raises
    ------
    SipError
        If the file is cut short, damaged, a TorchScript program or no torch file.
    """
    try:
        with open(path, "rb") as file:
            if file.read(len(OLD_START)) == OLD_START:
                return _read_old(file, path.stat().st_size)
            with zipfile.ZipFile(file) as archive:
                return _read_archive(path, archive, file)
    except SipError:
        raise
    except Exception as error:  # a hostile pickle can raise anything
        raise SipError(
            f"{path} is cut short or damaged ({type(error).__name__}); copy or download it again."
        ) from error


def _read_archive(path: Path, archive: zipfile.ZipFile, raw: BinaryIO) -> TorchFile:
    members = {info.filename: info for info in archive.infolist()}
    names = [name for name in members if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(names) != 1:
        raise SipError(f"{path} is a ZIP archive but no torch checkpoint; choose a .pt or .safetensors file.")
    folder = names[0].removesuffix("data.pkl")
    if f"{folder}constants.pkl" in members:
        raise SipError(
            f"{path} is a TorchScript program; save the state_dict() of the model that it was made from."
        )
    if members[names[0]].file_size > _PICKLE_LIMIT:
        raise SipError(f"{path} holds too many objects beside its tensors; save its state_dict alone.")
    order = members.get(f"{folder}byteorder")
    if order is not None and order.file_size < 16 and archive.read(order).strip() == b"big":
        raise SipError(f"{path} was written on a big-endian machine; save it again on an ordinary one.")
    with archive.open(names[0]) as file:
        reader = PickleReader(file)
        content = reader.load()
    places, compressed = {}, {}
    for key, length in reader.storages.items():
        member = members.get(f"{folder}data/{key}")
        if length > (member.file_size if member else 0):
            raise pickle.UnpicklingError(f"storage {key} is not there in full")
        if member is None:  # of no bytes
            continue
        if member.compress_type == zipfile.ZIP_STORED:
            places[key] = (_first_byte(raw, member), length)
        else:
            compressed[key] = member.filename
    return TorchFile(content, tuple(sorted(reader.foreign)), places, compressed)


def _first_byte(raw: BinaryIO, member: zipfile.ZipInfo) -> int:
    raw.seek(member.header_offset)
    header = raw.read(30)  # of the member itself: its name and padding need not be as long as the index says
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise pickle.UnpicklingError("a member that is not where the index says")
    name, extra = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    return member.header_offset + 30 + name + extra


def _read_old(file: BinaryIO, size: int) -> TorchFile:
    # Before PyTorch 1.6: five pickles in a row (magic number, version, system, content, storage keys),
    # then each storage as its length in 8 bytes and its data.
    file.seek(0)
    for _ in range(3):
        PickleReader(file).load()
    reader = PickleReader(file)
    content = reader.load()
    keys: Any = PickleReader(file).load()
    places, position = {}, file.tell()
    for key in map(str, keys):
        length = reader.storages[key]
        file.seek(position)
        if len(file.read(8)) < 8 or position + 8 + length > size:
            raise pickle.UnpicklingError(f"storage {key} is not there in full")
        places[key] = (position + 8, length)
        position += 8 + length
    if missing := reader.storages.keys() - places.keys():
        raise pickle.UnpicklingError(f"storage {min(missing)} is not there")
    return TorchFile(content, tuple(sorted(reader.foreign)), places, {})
