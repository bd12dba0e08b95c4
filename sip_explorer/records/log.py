"""``events.jsonl``: the only file that grows. Whole lines, flushed; a torn last line is ignored."""

from pathlib import Path
from types import TracebackType
from typing import Self

from sip_explorer.records.events import Event, event_from_json, event_to_json


class EventLog:
    """Append events to a file; a reader in another process may tail it with `read_events`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self.path, "ab")  # noqa: SIM115 - held open until close()
        # A writer that was killed may have left half a line: end it, so that ours starts a new one.
        if self.path.stat().st_size and not self.path.read_bytes().endswith(b"\n"):
            self._file.write(b"\n")

    def append(self, event: Event) -> None:
        """Write one event and flush it."""
        self._file.write(event_to_json(event).encode("utf-8") + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_events(path: Path | str, offset: int = 0) -> tuple[list[tuple[float, Event]], int]:
    """Return the (POSIX time, event) pairs after byte ``offset`` and the offset to go on from.

    Only whole lines count; a line that is not an event (torn by a crash) is skipped. A file that
    is not there yet holds no events.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            chunk = file.read()
    except FileNotFoundError:
        return [], offset
    whole = chunk.rfind(b"\n") + 1
    events = []
    for line in chunk[:whole].splitlines():
        try:
            events.append(event_from_json(line.decode("utf-8")))
        except ValueError:  # UnicodeDecodeError included: half a line that a crash left
            continue
    return events, offset + whole
