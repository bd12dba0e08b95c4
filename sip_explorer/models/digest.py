"""The hash that a checkpoint file is known by."""

import hashlib
from pathlib import Path

from sip_explorer.records import CancelToken, SipError

_PIECE = 4 * 2**20


def file_digest(path: Path | str, token: CancelToken | None = None) -> str:
    """Return the SHA-256 of a file in hexadecimal (64 letters); read in pieces of 4 MB.

    Raises
    ------
    SipError
        If the file cannot be read.
    Cancelled
        If ``token`` was cancelled meanwhile.
    """
    digest = hashlib.sha256()
    piece = memoryview(bytearray(_PIECE))
    try:
        with open(path, "rb", buffering=0) as file:
            while length := file.readinto(piece):
                digest.update(piece[:length])
                if token is not None:
                    token.check()
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror or error}); choose another file.") from error
    return digest.hexdigest()
