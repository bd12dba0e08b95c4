"""Kill the program while someone paints, again and again, and count what is lost.

    python tests/benchmarks/kills.py [kills] [seed]

Each round a child process opens the real window, off screen, on one and the same workspace and
paints in the Salience room with real mouse events: strokes, erasing, undo, redo, clear, other
images. For each save that the window shows it reports, through a pipe, which image it was and a
hash of the mask on the canvas as it was then. At a random moment it gets SIGKILL. Then the
workspace is opened again: every reported stroke must be in the catalogue, the replay of the strokes
up to it must give the reported mask, and snapshot, state and counted pixels must agree with the
replay. Prints one line per figure; exit code 1 if anything was lost.
"""

import hashlib
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sip_explorer.qt.app import make_application, make_window
from sip_explorer.qt.canvas import SalienceCanvas
from sip_explorer.state import Session
from sip_explorer.workspace import Workspace
from sip_explorer.workspace.catalogue import connect_reader
from sip_explorer.workspace.masks import read_mask

IMAGES, SIDE = 6, 192
PAINTER = "Ada"
LONGEST = 1.5  # seconds of painting before the kill


@dataclass(frozen=True)
class Saved:
    """A save that the window showed: image, hash of the mask, seconds from the stroke to its commit."""

    image: int
    digest: str
    waited: float


@dataclass
class Tally:
    """What the rounds have shown so far."""

    saved: int = 0
    unreported: int = 0
    waits: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def digest(mask: NDArray[np.uint8]) -> str:
    """Return a short hash of a mask."""
    return hashlib.blake2b(np.ascontiguousarray(mask).data, digest_size=8).hexdigest()


# ---- the child ----------------------------------------------------------------------------------


def paint(path: Path, seed: int, report: int) -> None:
    """Paint until killed; write a line to the file descriptor ``report`` for each save that is shown."""
    app = make_application()
    session = Session()
    window = make_window(app, session)
    window.resize(1100, 760)
    window.show()
    session.settings["annotator"] = PAINTER
    session.open_workspace(path)
    window.enter("salience")
    canvas = window.findChild(SalienceCanvas)
    assert isinstance(canvas, SalienceCanvas)
    under_way: deque[tuple[int, str, float]] = deque()

    def recorded(image: int, *_: object) -> None:
        under_way.append((image, digest(canvas.mask()), time.time()))

    def saved(at: float) -> None:
        image, seen, since = under_way.popleft()
        os.write(report, f"{image} {seen} {max(0.0, at - since):.6f}\n".encode())

    session.painting.recorded.connect(recorded)
    session.saved.connect(saved)
    app.processEvents()
    os.write(report, b"begin\n")
    numbers = random.Random(seed)
    while True:
        act(numbers, app, session, canvas)


def act(numbers: random.Random, app: QApplication, session: Session, canvas: SalienceCanvas) -> None:
    """Do one thing that an annotator does."""
    image = session.selection.current_image
    assert image is not None
    choice = numbers.random()
    if choice < 0.7:
        canvas.set_tool("eraser" if choice < 0.15 else "brush")
        canvas.set_brush_radius(numbers.choice((2, 9, 30)))
        drag(numbers, app, canvas)
    elif choice < 0.8:
        session.painting.undo(image)
    elif choice < 0.85:
        session.painting.redo(image)
    elif choice < 0.98:
        session.selection.current_image = numbers.randrange(IMAGES)
    else:  # a pause in which the mask is made a snapshot
        resting = time.monotonic() + 1.7
        while time.monotonic() < resting:
            app.processEvents()
            time.sleep(0.005)
    app.processEvents()
    session.mailbox.drain()


def drag(numbers: random.Random, app: QApplication, canvas: SalienceCanvas) -> None:
    """Draw a stroke of a few dabs with the mouse."""
    left = Qt.MouseButton.LeftButton

    def somewhere() -> QPoint:
        x, y = canvas.view_position(numbers.uniform(4, SIDE - 4), numbers.uniform(4, SIDE - 4))
        return QPoint(round(x), round(y))

    QTest.mousePress(canvas, left, pos=somewhere())
    for _ in range(numbers.randint(1, 4)):
        QTest.mouseMove(canvas, somewhere())
        app.processEvents()
    QTest.mouseRelease(canvas, left, pos=somewhere())


# ---- the parent ---------------------------------------------------------------------------------


def make(path: Path) -> None:
    """Make the workspace on which all rounds paint."""
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    labels = np.arange(IMAGES) % 2
    with Workspace.from_arrays(path, "Photos", pixels, labels, ("one", "two")) as workspace:
        workspace.add_annotator(PAINTER)


def paint_and_kill(path: Path, seed: int) -> list[Saved]:
    """Let a child paint, kill it at a random moment and return what it had reported until then."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            paint(path, seed, writing)
        finally:
            os._exit(1)  # a child that ends by itself has failed
    os.close(writing)
    with open(reading, "rb") as pipe:
        begun = pipe.readline()
        time.sleep(random.Random(seed).uniform(0, LONGEST))
        os.kill(child, signal.SIGKILL)
        lines = pipe.read().decode().splitlines(keepends=True)
    _, status = os.waitpid(child, 0)
    if begun != b"begin\n" or not os.WIFSIGNALED(status):
        raise RuntimeError("the painting child ended by itself")
    fields = [line.split() for line in lines if line.endswith("\n")]
    return [Saved(int(image), seen, float(waited)) for image, seen, waited in fields]


def check(path: Path, before: int, reported: list[Saved], tally: Tally) -> int:
    """Compare the catalogue with what was reported; return how many strokes it holds."""
    with Workspace.open(path) as workspace:  # takes the lock of the killed one; replays its journal
        if workspace.read_only:
            tally.faults.append(f"the lock outlived its holder: {workspace.lock_holder}")
        with closing(connect_reader(path)) as catalogue:
            if catalogue.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                tally.faults.append("the catalogue is damaged")
            rows = catalogue.execute("SELECT id, image FROM strokes ORDER BY id").fetchall()
            tally.faults += compare(catalogue, rows[before:], reported)
            tally.faults += agree(catalogue, workspace)
    tally.saved += len(reported)
    tally.unreported += len(rows) - before - len(reported)
    tally.waits += [saved.waited for saved in reported]
    return len(rows)


def compare(
    catalogue: sqlite3.Connection, rows: list[tuple[int, int]], reported: list[Saved]
) -> Iterator[str]:
    """Yield what is wrong with the strokes that were reported."""
    if len(rows) < len(reported):
        yield f"{len(reported) - len(rows)} acknowledged strokes are gone"
    for (number, image), saved in zip(rows, reported, strict=False):
        replayed, _ = read_mask(catalogue, image, 1, (SIDE, SIDE), last=number, use_snapshot=False)
        if image != saved.image or digest(replayed) != saved.digest:
            yield f"stroke {number} of image {image} is not the one that was acknowledged"


def agree(catalogue: sqlite3.Connection, workspace: Workspace) -> Iterator[str]:
    """Yield where snapshot, state or counted pixels differ from the replay of all strokes."""
    counted = dict(catalogue.execute("SELECT image, pixels FROM reviews WHERE annotator = 1"))
    for image in range(IMAGES):
        replayed, _ = read_mask(catalogue, image, 1, (SIDE, SIDE), use_snapshot=False)
        if not np.array_equal(workspace.mask(image, PAINTER), replayed):
            yield f"the mask of image {image} is not the replay of its strokes"
        state = "painted" if replayed.any() else "unpainted"
        if workspace.states([image], PAINTER) != [state]:
            yield f"image {image} is {state} and does not say so"
        if counted.get(image, 0) != np.count_nonzero(replayed):
            yield f"the pixels of image {image} are miscounted"


def main() -> int:
    """Paint, kill and compare as often as asked."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="sip-explorer-") as folder:
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "SIP_EXPLORER_DATA"):
            os.environ[name] = str(Path(folder) / name)
        path, strokes = Path(folder) / "photos", 0
        make(path)
        for number in range(kills):
            strokes = check(path, strokes, paint_and_kill(path, seed * 1_000_003 + number), tally)
    waits = np.array(tally.waits or [np.nan]) * 1e3
    print(f"kills: {kills}")
    print(f"strokes acknowledged before a kill: {tally.saved}")
    print(f"strokes on disk whose acknowledgement was not shown any more: {tally.unreported}")
    print(f"lost or changed: {len(tally.faults)}")
    print(
        f"stroke to commit, {SIDE} px: p50 {np.percentile(waits, 50):.1f} ms, "
        f"p99 {np.percentile(waits, 99):.1f} ms"
    )
    for fault in tally.faults:
        print(f"  {fault}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
