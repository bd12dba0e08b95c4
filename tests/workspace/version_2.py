"""A workspace as the second format of the catalogue had it."""

import sqlite3
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from version_1 import make_version_1

# What was shipped beyond format 1; never to be changed with the program.
ADDED = """
ALTER TABLE annotators ADD COLUMN kind TEXT NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'adjudicated', 'answers'));
CREATE UNIQUE INDEX one_of_a_kind ON annotators (kind) WHERE kind <> 'person';
CREATE INDEX strokes_by ON strokes (annotator, image, id, at, tool, y0, x0, y1, x1);
CREATE TABLE checks (    -- someone looked at a mask; '' takes a verdict back, as a new stroke does
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('', 'checked', 'disputed')),
    by INTEGER NOT NULL REFERENCES annotators (id),
    at REAL NOT NULL
);
CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    text TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE settings (  -- what all who paint here share: the written guideline, blind mode, sets
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE examples (  -- masks shown beside the guideline, as they were after `stroke`
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'refused')),
    caption TEXT NOT NULL,
    stroke INTEGER NOT NULL,                -- 0: before the first
    at REAL NOT NULL,
    removed REAL                            -- POSIX time; NULL while it is shown
);
CREATE TABLE proposals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    method TEXT NOT NULL, model TEXT NOT NULL, model_hash TEXT NOT NULL, detail TEXT NOT NULL,
    at REAL NOT NULL,
    map BLOB NOT NULL                       -- 8-bit PNG, at most 1024 pixels on the longer side
);
CREATE INDEX proposals_of ON proposals (image, id);
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    proposal INTEGER NOT NULL REFERENCES proposals (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    decision TEXT NOT NULL CHECK (decision IN ('accepted', 'corrected', 'refused', 'reopened')),
    threshold REAL NOT NULL CHECK (threshold BETWEEN 0 AND 100),    -- percent
    at REAL NOT NULL
);
"""  # noqa: E501 - as it stands in old catalogues


def make_version_2(path: Path) -> NDArray[np.uint8]:
    """Make the toy workspace with a catalogue of format 2; return Ada's mask of image 3.

    On top of what `make_version_1` holds, Adjudicated disputed Ada's mask at the time 200, with a note,
    and there is a guideline.
    """
    mask = make_version_1(path)
    connection = sqlite3.connect(path / "catalog.sqlite", isolation_level=None)
    connection.executescript(ADDED)
    connection.execute("PRAGMA user_version = 2")
    connection.execute(
        "INSERT INTO checks (image, annotator, verdict, by, at) VALUES (3, 1, 'disputed', 2, 200.0)"
    )
    connection.execute("INSERT INTO notes (image, annotator, text, at) VALUES (3, 1, 'the handle', 200.0)")
    connection.execute("INSERT INTO settings (key, text, at) VALUES ('guideline', 'Paint it.', 90.0)")
    connection.close()
    return mask
