"""From a catalogue of an older format to the present one: a backup beside it, then one transaction."""

import contextlib
import sqlite3
from pathlib import Path

from sip_explorer.records import atomic_path
from sip_explorer.workspace.catalogue import NAME, DiskError, connect_writer
from sip_explorer.workspace.schema import ADDED_SINCE_1, VERSION


def migrate(folder: Path) -> None:
    """Bring the catalogue in ``folder`` to the present format; needs the workspace's lock.

    Before anything is changed, a copy is written beside it: ``catalog.v1.sqlite``, with the number of
    its format (numbered on where that name is taken).

    Raises
    ------
    SipError
        If the catalogue is missing, damaged, or of a newer format; a `DiskError` if it cannot be
        changed, it is then as it was.
    """
    with contextlib.closing(connect_writer(folder)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == VERSION:
            return
        try:
            with atomic_path(_free_name(folder, version)) as path:
                _back_up(connection, path)
            connection.execute("BEGIN IMMEDIATE")
            for statement in _added_since(version):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        except (sqlite3.OperationalError, OSError) as error:
            # Closing the connection rolls back.
            raise DiskError(
                f"The catalogue of {folder} is of an older format and cannot be brought up to date "
                f"({error}): make room on the disk."
            ) from error


def overlay(connection: sqlite3.Connection) -> None:
    """Let a reading connection see a catalogue of an older format as a present one in which nothing is new.

    The tables that are not there are empty ones of this connection alone, the columns that are not
    there come from views. Called again after another program has migrated the catalogue, it takes
    them away.
    """
    (version,) = connection.execute("PRAGMA main.user_version").fetchone()
    kinds = connection.execute(
        "SELECT type, name FROM sqlite_temp_master "
        "WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    if kinds and version < VERSION:
        return
    for kind, name in kinds:
        connection.execute(f"DROP {kind} temp.{name}")
    if version == VERSION:
        return
    connection.execute("PRAGMA temp_store = MEMORY")
    for statement in _added_since(version):
        if statement.startswith("CREATE TABLE "):
            connection.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
    for since, view in _VIEWS:
        if version < since:
            connection.execute(view)


_VIEWS = (
    (
        2,
        "CREATE TEMP VIEW annotators AS SELECT id, name, colour, 'person' AS kind FROM main.annotators",
    ),
    (3, "CREATE TEMP VIEW images AS SELECT *, NULL AS name FROM main.images"),
)
"""The format that first had a column, and a view that shows it empty."""


def _added_since(version: int) -> list[str]:
    return [statement for since, added in ADDED_SINCE_1.items() if since > version for statement in added]


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # a backup is one file


def _free_name(folder: Path, version: int) -> Path:
    stem = Path(NAME).stem
    path, number = folder / f"{stem}.v{version}.sqlite", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}.v{version}-{number}.sqlite"
    return path
