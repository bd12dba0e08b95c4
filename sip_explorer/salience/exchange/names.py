"""Names that leave the program as parts of paths, and names that come from elsewhere."""

import hashlib
import re
from pathlib import PurePosixPath
from urllib.parse import unquote

from sip_explorer.records import SipError

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%]|^[. ]|[. ]$')
_LONGEST = 200  # bytes; disks take 255, of a name with its ending and that of a temporary file
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_part(text: str) -> str:
    """Return ``text`` as the name of a file or folder that every system takes; `part_text` undoes it.

    What cannot stand there is written as %XX, so that nothing can lead out of a folder. A name that is
    too long for a disk is cut and ends in a digest of the whole; that cannot be undone.
    """
    quoted = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", text)
    if _RESERVED.fullmatch(quoted):
        quoted = f"%{ord(quoted[0]):02X}{quoted[1:]}"
    as_bytes = quoted.encode("utf-8", "surrogatepass")
    if len(as_bytes) > _LONGEST:
        digest = hashlib.sha256(as_bytes).hexdigest()[:16]
        quoted = f"{as_bytes[: _LONGEST - 17].decode(errors='ignore')}~{digest}"
    return quoted or "%00"


def part_text(part: str) -> str:
    """Return what `file_part` was given."""
    return "" if part == "%00" else unquote(part)


def safe_path(name: str) -> str:
    """Return ``name`` with each of its parts as `file_part` writes it, joined by ``/``."""
    return "/".join(file_part(part) for part in name.split("/"))


def checked_name(name: str, where: str) -> str:
    """Return a name from a file with ``/`` between its parts, which leads nowhere else.

    Raises
    ------
    SipError
        If the name is empty, absolute, or holds ``..`` or a character 0.
    """
    plain = name.strip().replace("\\", "/")
    parts = PurePosixPath(plain).parts
    if not parts or "\0" in plain:
        raise SipError(f"{where} names no image: give every mask the name of its image.")
    if parts[0] == "/" or re.match(r"[A-Za-z]:", plain) or ".." in parts:
        raise SipError(
            f"{where} names the image {name[:200]!r}, a path out of its folder, which is not "
            "followed: name the image by its file name."
        )
    return "/".join(parts)
