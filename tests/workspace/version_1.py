"""A workspace as the first format of the catalogue had it."""

import sqlite3
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from toy_workspaces import make_workspace

# What was shipped; never to be changed with the program.
SCHEMA = """
CREATE TABLE classes (label INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    label INTEGER REFERENCES classes (label),
    split TEXT NOT NULL CHECK (split IN ('train', 'test')),
    height INTEGER NOT NULL, width INTEGER NOT NULL, channels INTEGER NOT NULL CHECK (channels IN (1, 3)),
    position INTEGER,          -- row in images.h5, or
    path TEXT,                 -- a file: absolute, or relative to the workspace
    digest BLOB,               -- SHA-256 of shape and pixels
    CHECK ((position IS NULL) <> (path IS NULL))
);
CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE collection_images (
    collection INTEGER NOT NULL REFERENCES collections (id),
    position INTEGER NOT NULL,
    image INTEGER NOT NULL REFERENCES images (id),
    PRIMARY KEY (collection, position),
    UNIQUE (collection, image)
) WITHOUT ROWID;
CREATE TABLE annotators (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, colour TEXT NOT NULL
);
CREATE TABLE strokes (       -- the truth: what was painted, in order, undo and redo included
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    y0 INTEGER NOT NULL, x0 INTEGER NOT NULL, y1 INTEGER NOT NULL, x1 INTEGER NOT NULL,   -- half-open
    old BLOB NOT NULL, new BLOB NOT NULL,   -- zlib, uint8, rows of the box
    tool TEXT NOT NULL,
    at REAL NOT NULL                        -- POSIX time at which the stroke ended
);
CREATE INDEX strokes_of ON strokes (image, annotator, id);
CREATE TABLE snapshots (     -- the mask after stroke number `stroke`, to read fast; rebuilt at leisure
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    stroke INTEGER NOT NULL, png BLOB NOT NULL,
    PRIMARY KEY (image, annotator)
);
CREATE TABLE reviews (       -- no row: unpainted
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    state TEXT NOT NULL CHECK (state IN ('unpainted', 'painted', 'empty', 'skipped')),
    pixels INTEGER NOT NULL,                -- mask pixels above 0
    at REAL NOT NULL,
    PRIMARY KEY (image, annotator)
) WITHOUT ROWID;
"""


def make_version_1(path: Path) -> NDArray[np.uint8]:
    """Make the toy workspace with a catalogue of format 1; return Ada's mask of image 3.

    Ada painted it with two strokes at the times 100 and 160, and left image 5 empty on purpose; a
    person named Adjudicated painted nothing.
    """
    make_workspace(path).close()
    new = path / "catalog.sqlite"
    kept = new.with_suffix(".new")
    new.rename(kept)
    connection = sqlite3.connect(new, isolation_level=None)
    connection.execute("PRAGMA application_id = 0x53495058")
    connection.execute("PRAGMA user_version = 1")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(SCHEMA)
    connection.execute("ATTACH ? AS kept", (str(kept),))
    for table in ("classes", "images", "collections", "collection_images"):
        columns = [row[1] for row in connection.execute(f"PRAGMA main.table_info({table})")]
        listed = ", ".join(columns)
        connection.execute(f"INSERT INTO main.{table} ({listed}) SELECT {listed} FROM kept.{table}")
    connection.execute("DETACH kept")
    connection.executemany(
        "INSERT INTO annotators (name, colour) VALUES (?, ?)",
        [("Ada", "#E69F00"), ("Adjudicated", "#56B4E9")],
    )
    mask = np.zeros((16, 16), np.uint8)
    for number, (y0, x0, y1, x1, value) in enumerate([(1, 2, 9, 12, 255), (4, 4, 6, 16, 90)]):
        old = mask[y0:y1, x0:x1].copy()
        mask[y0:y1, x0:x1] = value
        packed = [zlib.compress(part.tobytes(), 1) for part in (old, mask[y0:y1, x0:x1])]
        connection.execute(
            "INSERT INTO strokes (image, annotator, y0, x0, y1, x1, old, new, tool, at) "
            "VALUES (3, 1, ?, ?, ?, ?, ?, ?, 'brush', ?)",
            (y0, x0, y1, x1, *packed, 100.0 + 60 * number),
        )
    connection.executemany(
        "INSERT INTO reviews (image, annotator, state, pixels, at) VALUES (?, 1, ?, ?, ?)",
        [(3, "painted", int(np.count_nonzero(mask)), 160.0), (5, "empty", 0, 170.0)],
    )
    connection.close()
    kept.unlink()
    return mask
