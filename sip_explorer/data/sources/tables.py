"""A folder of pictures and a table (CSV) that names them: file, label, split, by the headings."""

import re
from pathlib import Path

import numpy as np

from sip_explorer.data.sources.labelling import numbered
from sip_explorer.data.sources.listing import Source, SourceImage
from sip_explorer.data.sources.named_files import NamedFiles
from sip_explorer.data.sources.sentences import class_note, split_note
from sip_explorer.data.sources.table_rows import SUFFIXES, Table, read_table
from sip_explorer.data.walking import Folder
from sip_explorer.records import CancelToken, SipError

_FILE = (
    *("file", "filename", "file_name", "path", "filepath", "file_path", "image", "image_path", "image_file"),
    *("image_name", "img", "img_path", "img_name", "image_id", "name", "id"),
)
_LABEL = (
    *("class_name", "label_name", "category_name", "class", "label", "category", "image_class", "target"),
    *("species", "breed", "labels", "classes", "y", "class_id", "category_id", "label_id"),
)
_SPLIT = ("split", "set", "subset", "partition", "usage", "is_test", "test", "is_training_image", "is_train")
_TRAIN_WORDS = frozenset({"train", "training", "trainval"})
_VALIDATION_WORDS = frozenset({"val", "valid", "validation", "dev"})
_TEST_WORDS = frozenset({"test", "testing"})
_TRUE, _FALSE = frozenset({"1", "true", "yes", "1.0"}), frozenset({"0", "false", "no", "0.0"})


def read_table_folder(folder: Folder, token: CancelToken) -> Source | None:
    """List the pictures that a table in the folder names; None where no table names labels of them."""
    for name in folder.files:
        if Path(name).suffix.lower() in SUFFIXES:
            table = read_table(folder.path / name)
            if table.column(_FILE) and table.column(_LABEL):
                source = _source(table, NamedFiles(folder.path, token))
                if source.images:
                    return source
    return None


def read_table_file(path: Path, token: CancelToken) -> Source:
    """List the pictures that a table names, which lie beside it or below.

    Raises
    ------
    SipError
        If its headings name no files, or none of the files is there.
    """
    table = read_table(path)
    if table.column(_FILE) is None:
        told = ", ".join(table.columns[:8]) or "nothing"
        raise SipError(f"{path} has the columns {told}, none named file, path or image; rename that column.")
    source = _source(table, NamedFiles(path.parent, token))
    if not source.images:
        raise SipError(
            f"{path} names {len(table.rows)} pictures, none of which lies beside it or below; put it into "
            "their folder."
        )
    return source


def _source(table: Table, files: NamedFiles) -> Source:
    file, label, split = table.column(_FILE), table.column(_LABEL), table.column(_SPLIT)
    assert file is not None
    problems: list[str] = []
    parts = _parts(split, {row.get(split, "").lower() for _, row in table.rows}) if split else {}
    found: dict[str, tuple[str, bool | None]] = {}
    for line, row in table.rows:
        where, given = f"Line {line} of {table.path.name}", row.get(file, "")
        name = files.find(given) if given else None
        if name is None:
            problems.append(
                f"{where} names {given or 'no picture'}, which is not there, or twice: it was left out."
            )
            continue
        entry = (row.get(label, "") if label else "", parts.get(row.get(split or "", "").lower()))
        if found.setdefault(name, entry) != entry:
            problems.append(f"{where} names {given} again with another label or split: the first counts.")
    unnamed = len(files.names) - len(found)
    if unnamed:
        problems.append(f"{unnamed:,} pictures in the folder are not in {table.path.name} and were left out.")
    labels, classes = _labels([text for text, _ in found.values()], str(table.path), problems)
    images = [
        SourceImage(name, one if one >= 0 else None, test, files.folder / name)
        for (name, (_, test)), one in zip(found.items(), labels, strict=True)
    ]
    notes = [
        f"The table {table.path.name} names the pictures in its column {file}.",
        *(class_note(classes, f"its column {label}") if label else ()),
        *split_note(images),
    ]
    if any(parts.get(word) is False for word in _VALIDATION_WORDS):
        notes.append("The validation images count for training.")
    return Source(
        "pictures with a table", table.path, table.path.parent.name, classes, images, tuple(notes), problems
    )


def _parts(column: str, words: set[str]) -> dict[str, bool]:
    """Return which words of the column of the split mean testing (True) and which training."""
    words = words - {""}
    if words <= _TRUE | _FALSE:  # a column such as is_test
        trains = "train" in column.lower()
        return {word: (word in _TRUE) != trains for word in words}
    tests = (words & _TEST_WORDS) or (words & _VALIDATION_WORDS)
    known = words & (_TRAIN_WORDS | _TEST_WORDS | _VALIDATION_WORDS)
    return {word: word in tests for word in known}


def _labels(texts: list[str], what: str, problems: list[str]) -> tuple[list[int], tuple[str, ...]]:
    """Return indices (-1: empty) and classes: whole numbers in their order, else names by letter."""
    values = np.array(texts, dtype=np.str_)
    if texts and all(re.fullmatch(r"-?\d{1,15}(\.0*)?", text) for text in texts if text) and any(texts):
        numbers = np.array([int(float(text)) if text else -1 for text in texts], np.int64)
        labels, classes, more = numbered(numbers, None, what)
    else:
        labels, classes, more = numbered(values, None, what)
    problems += more
    return labels.tolist(), classes
