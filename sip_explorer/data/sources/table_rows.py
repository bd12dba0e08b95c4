"""Rows of a table of text, whatever its delimiter and encoding."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from sip_explorer.records import SipError

SUFFIXES = frozenset({".csv", ".tsv"})
_MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class Table:
    """A table's headings as they stand, and its rows with their line in the file."""

    path: Path
    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]

    def column(self, names: tuple[str, ...]) -> str | None:
        """Return the heading that is the first of ``names``, in small letters without spaces; or None."""
        headings = {_plain(column): column for column in reversed(self.columns)}
        return next((headings[name] for name in names if name in headings), None)


def decode(data: bytes) -> str:
    """Return text in UTF-8 or UTF-16 with or without a mark at its head, else in Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")  # Latin-1 as Windows writes it


def read_text(path: Path) -> str:
    """Return the text of a file; `SipError` where it cannot be read or is far too large."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SipError(f"{path} has more than {_MOST_BYTES >> 20} MB, no list of images; choose another.")
        return decode(path.read_bytes())
    except OSError as error:
        raise SipError(f"{path} cannot be read ({error.strerror}); choose another file.") from error


def read_table(path: Path) -> Table:
    """Return a table with its first line as headings; the delimiter is a comma, semicolon, tab or bar.

    Raises
    ------
    SipError
        If it cannot be read as a table.
    """
    text = read_text(path).replace("\0", "")
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    csv.field_size_limit(1 << 24)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        columns = tuple((name or "").strip() for name in reader.fieldnames or ())
        reader.fieldnames = list(columns)
        rows = [
            (
                reader.line_num,
                {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)},
            )
            for row in reader
            if any(row.values())
        ]
    except csv.Error as error:
        raise SipError(f"{path} cannot be read as a table ({error}); save it as CSV in UTF-8.") from error
    return Table(path, columns, rows)


def _plain(heading: str) -> str:
    return heading.lower().replace(" ", "_").replace("-", "_")
