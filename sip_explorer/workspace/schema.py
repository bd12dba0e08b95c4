"""The tables of ``catalog.sqlite``: those of format 1, and what each later format adds.

A new catalogue is made by all of them, one after the other, so it equals a migrated one.
"""

VERSION = 3

VERSION_1 = """
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

# checks, notes, settings and decisions are logs: a row is never changed, the last one counts.
ADDED_IN_2 = (
    "ALTER TABLE annotators ADD COLUMN kind TEXT NOT NULL DEFAULT 'person' "
    "CHECK (kind IN ('person', 'adjudicated', 'answers'))",
    "CREATE UNIQUE INDEX one_of_a_kind ON annotators (kind) WHERE kind <> 'person'",
    # All of a stroke but its pixels, which lie between the columns: history and times without reading them.
    "CREATE INDEX strokes_by ON strokes (annotator, image, id, at, tool, y0, x0, y1, x1)",
    """CREATE TABLE checks (    -- someone looked at a mask; '' takes a verdict back, as a new stroke does
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('', 'checked', 'disputed')),
    by INTEGER NOT NULL REFERENCES annotators (id),
    at REAL NOT NULL
)""",
    """CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    text TEXT NOT NULL,
    at REAL NOT NULL
)""",
    """CREATE TABLE settings (  -- what all who paint here share: the written guideline, blind mode, sets
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL
)""",
    """CREATE TABLE examples (  -- masks shown beside the guideline, as they were after `stroke`
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'refused')),
    caption TEXT NOT NULL,
    stroke INTEGER NOT NULL,                -- 0: before the first
    at REAL NOT NULL,
    removed REAL                            -- POSIX time; NULL while it is shown
)""",
    """CREATE TABLE proposals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    method TEXT NOT NULL, model TEXT NOT NULL, model_hash TEXT NOT NULL, detail TEXT NOT NULL,
    at REAL NOT NULL,
    map BLOB NOT NULL                       -- 8-bit PNG, at most 1024 pixels on the longer side
)""",
    "CREATE INDEX proposals_of ON proposals (image, id)",
    """CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    proposal INTEGER NOT NULL REFERENCES proposals (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    decision TEXT NOT NULL CHECK (decision IN ('accepted', 'corrected', 'refused', 'reopened')),
    threshold REAL NOT NULL CHECK (threshold BETWEEN 0 AND 100),    -- percent
    at REAL NOT NULL
)""",
)

# tags, label_changes and class_changes are logs too: what a person said once can be found again.
ADDED_IN_3 = (
    # What people call an image; NULL where its file's name or its number does.
    "ALTER TABLE images ADD COLUMN name TEXT",
    """CREATE TABLE segmentations (    -- object masks that came with the data set, of images that are files
    image INTEGER PRIMARY KEY REFERENCES images (id),
    path TEXT NOT NULL,             -- a picture file: absolute, or relative to the workspace
    kind TEXT NOT NULL CHECK (kind IN ('mask', 'trimap'))
)""",
    """CREATE TABLE boxes (    -- boxes of objects that came with the data set, of images that are files
    image INTEGER NOT NULL REFERENCES images (id),
    position INTEGER NOT NULL,              -- 0, 1, ... of the image
    x INTEGER NOT NULL, y INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,    -- pixels
    PRIMARY KEY (image, position)
) WITHOUT ROWID""",
    """CREATE TABLE tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    tag TEXT NOT NULL,
    at REAL NOT NULL,
    removed REAL                            -- POSIX time; NULL while it stands
)""",
    "CREATE UNIQUE INDEX tagged_once ON tags (tag, image) WHERE removed IS NULL",
    """CREATE TABLE label_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images (id),
    old TEXT, new TEXT,                     -- names of classes; NULL: none
    at REAL NOT NULL
)""",
    """CREATE TABLE class_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    old TEXT, new TEXT,                     -- names; NULL: the class was added, or taken away
    at REAL NOT NULL
)""",
)

ADDED_SINCE_1 = {2: ADDED_IN_2, 3: ADDED_IN_3}
"""Format -> the statements that bring a catalogue of the format before to it."""
