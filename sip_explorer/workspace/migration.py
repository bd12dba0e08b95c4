"""From a catalogue of format 1 to format 2: a backup beside it, then one transaction."""

import contextlib
import sqlite3
from pathlib import Path

from sip_explorer.records import atomic_path
from sip_explorer.workspace.catalogue import NAME, DiskError, connect_writer
from sip_explorer.workspace.schema import ADDED_IN_2, VERSION


def migrate(folder: Path) -> None:
    """Bring the catalogue in ``folder`` to the present format; needs the workspace's lock.

    Before anything is changed, a copy is written beside it: ``catalog.v1.sqlite`` (numbered on
    where that name is taken).

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
            for statement in ADDED_IN_2:
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
    """Let a reading connection see a catalogue of format 1 as one of format 2 in which nothing is new.

    The tables that are not there are empty ones of this connection alone. Called again after
    another program has migrated the catalogue, it takes them away.
    """
    (version,) = connection.execute("PRAGMA main.user_version").fetchone()
    names = [name for (name,) in connection.execute("SELECT name FROM temp.sqlite_master").fetchall()]
    if (version == 1) == ("annotators" in names):
        return
    tables = [statement for statement in ADDED_IN_2 if statement.startswith("CREATE TABLE ")]
    if version != 1:
        connection.execute("DROP VIEW temp.annotators")
        for statement in tables:
            connection.execute(f"DROP TABLE temp.{statement.split()[2]}")
        return
    connection.execute("PRAGMA temp_store = MEMORY")
    for statement in tables:
        connection.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
    connection.execute(
        "CREATE TEMP VIEW annotators AS SELECT id, name, colour, 'person' AS kind FROM main.annotators"
    )


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
