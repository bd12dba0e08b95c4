"""``catalog.sqlite``: how it is made and how its connections are opened."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

from sip_explorer.records import SipError
from sip_explorer.workspace.manifest import refuse_newer
from sip_explorer.workspace.schema import ADDED_SINCE_1, VERSION, VERSION_1

NAME = "catalog.sqlite"
_APPLICATION = 0x53495058  # "SIPX": marks the file as ours
_BUSY_SECONDS = 10.0
_NETWORK = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "fuse.sshfs", "lustre", "gpfs", "ceph")
)


class DiskError(SipError):
    """The disk, not the catalogue, is at fault: it is full, read-only or not there."""


def create_catalogue(folder: Path) -> sqlite3.Connection:
    """Make an empty catalogue in ``folder`` and return a connection that may write."""
    connection = _connect(f"{(folder / NAME).absolute().as_uri()}?mode=rwc")
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.executescript(VERSION_1)
    for statements in ADDED_SINCE_1.values():
        for statement in statements:
            connection.execute(statement)
    return connection


def connect_writer(folder: Path) -> sqlite3.Connection:
    """Return the one connection that writes: every commit is on the disk when it returns.

    The journal is WAL on a local disk and TRUNCATE where WAL cannot work (network disks).

    Raises
    ------
    SipError
        If the file is missing, damaged, no catalogue, or of a newer format; a `DiskError` if the
        disk is full.
    """
    connection = _connect_checked(folder, "mode=rw")
    wanted = "TRUNCATE" if on_network_disk(folder) else "WAL"
    try:
        try:
            connection.execute(f"PRAGMA journal_mode = {wanted}")
            connection.execute("SELECT count(*) FROM classes").fetchone()
        except sqlite3.OperationalError:
            connection.execute("PRAGMA journal_mode = TRUNCATE")
    except sqlite3.Error as error:
        connection.close()
        raise _explained(folder, error) from error
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def connect_reader(folder: Path) -> sqlite3.Connection:
    """Return a connection that only reads; it works on read-only media too.

    Raises
    ------
    SipError
        As `connect_writer`.
    """
    if is_writable(folder):
        with contextlib.suppress(DiskError):  # on a full disk, read as from read-only media
            return _connect_checked(folder, "mode=ro")
    log = folder / f"{NAME}-wal"
    if not (log.exists() and log.stat().st_size):
        return _connect_checked(folder, "immutable=1")
    # A writer died before the medium became read-only. What it committed is in the log, which only
    # a writable copy can replay.
    with tempfile.TemporaryDirectory(prefix="sip-explorer-") as copy:
        for name in (NAME, log.name):
            shutil.copyfile(folder / name, Path(copy) / name)
        source = _connect_checked(Path(copy), "mode=rw")
        replayed = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with contextlib.closing(source):
            source.backup(replayed)
    return replayed


def is_writable(folder: Path) -> bool:
    """Whether the catalogue in ``folder`` can be written, journal included."""
    return all(os.access(path, os.W_OK) for path in (folder, folder / NAME) if path.exists())


def on_network_disk(folder: Path) -> bool:
    """Whether ``folder`` lies on a network disk, where SQLite's WAL cannot work."""
    text = str(folder.resolve())
    if text.startswith("\\\\"):
        return True
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    best, kind = "", ""
    for line in mounts:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        inside = text == point or text.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind in _NETWORK


def _connect(uri: str) -> sqlite3.Connection:
    # Transactions are opened by hand, and a lock of ours, not the thread, guards each connection.
    connection = sqlite3.connect(
        uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect_checked(folder: Path, mode: str) -> sqlite3.Connection:
    path = folder / NAME
    if not path.is_file():
        raise SipError(f"The workspace {folder} has lost its {NAME}: restore it from a backup.")
    connection: sqlite3.Connection | None = None
    try:
        connection = _connect(f"{path.absolute().as_uri()}?{mode}")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise SipError(f"{path} is not a catalogue of SIP Explorer: restore it from a backup.")
        refuse_newer(folder, version, VERSION)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise DiskError(
                f"The disk of {folder} cannot be worked on ({error}): make room on it."
            ) from error
        if isinstance(error, sqlite3.Error):
            raise SipError(f"{path} cannot be read ({error}): restore it from a backup.") from error
        raise
    return connection


def _explained(folder: Path, error: sqlite3.Error) -> SipError:
    """Return what SQLite's error means for a person."""
    kind = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_")
    if kind.startswith(("FULL", "IOERR", "CANTOPEN", "READONLY", "PERM")):
        return DiskError(f"The disk of {folder} cannot be worked on ({error}): make room on it.")
    if kind.startswith(("BUSY", "LOCKED", "PROTOCOL")):
        return SipError(f"{folder / NAME} is held by another program ({error}): try again in a moment.")
    return SipError(f"{folder / NAME} cannot be read ({error}): restore it from a backup.")
