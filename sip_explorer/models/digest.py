"""The hash that tells one model file from every other."""

import hashlib
from pathlib import Path

from sip_explorer.records import CancelToken, SipError

PIECE = 4 << 20


def file_digest(path: Path | str, token: CancelToken | None = None) -> str:
    """Return the SHA-256 of a file in hexadecimal; it is read in pieces, so its size does not matter.

    Raises
    ------
    SipError
        If the file cannot be read.
    Cancelled
        ``token`` was cancelled.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(PIECE):
                if token is not None:
                    token.check()
                digest.update(piece)
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror}); check that it is still there.") from error
    return digest.hexdigest()
