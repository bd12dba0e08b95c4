"""How long the hand waits in the Salience room, in the real window.

    python tests/benchmarks/salience_studio.py            off screen
    python tests/benchmarks/salience_studio.py --sides 4096

Prints one figure per line, median and 99th percentile in milliseconds:

- a stroke until its commit is acknowledged (target: p99 of 100 ms), while someone paints on;
- undo and redo of a brush stroke with the repaint (10 ms at 4096 px), and of a cleared mask beside it;
- the next image, from the key to the repainted canvas, with its neighbours read ahead (50 ms);
- a dab with its repaint while the neighbours are being read (2 ms at 4096 px).

The exit code says whether all targets were met. Timings count only where nothing else runs.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sip_explorer.qt.app import make_application, make_window
from sip_explorer.qt.rooms.salience import SalienceRoom
from sip_explorer.state import Session
from sip_explorer.workspace import NewImage, Workspace

PHOTOS = 8
STROKES = 120
LEFT, UP, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier


class Desk:
    """The window on a workspace of photos of one size, with some paint on each."""

    def __init__(self, app: QApplication, folder: Path, side: int) -> None:
        images = []
        for number in range(PHOTOS):
            path = folder / f"photo{number}.png"
            Image.fromarray(photo(side, number)).save(path, compress_level=1)
            images.append(NewImage(0, False, (side, side, 3), path=str(path)))
        Workspace.create(folder / "photos", "photos", ["thing"], images).close()
        self.app = app
        self.side = side
        self.session = Session()
        self.window = make_window(app, self.session)
        self.window.resize(1440, 880)
        self.window.show()
        self.session.open_workspace(folder / "photos")
        room = self.window.enter("salience")
        assert isinstance(room, SalienceRoom)
        self.room = room
        self.wait(room.canvas.has_image)

    def wait(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Let the program run until ``ready``."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise SystemExit("waited in vain")
            self.app.processEvents()
            time.sleep(0.0005)

    def rest(self, seconds: float) -> None:
        """Let the program run for a while."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def mouse(self, kind: QEvent.Type, x: float, y: float) -> None:
        """Move the hand to a place of the image, in shares of its side, and paint what that exposes."""
        canvas = self.room.canvas
        at = QPointF(*canvas.view_position(x * self.side, y * self.side))
        button = UP if kind == QEvent.Type.MouseMove else LEFT
        down = UP if kind == QEvent.Type.MouseButtonRelease else LEFT
        QApplication.sendEvent(canvas, QMouseEvent(kind, at, canvas.mapToGlobal(at), button, down, NONE))

    def stroke(self, number: int) -> None:
        """One short stroke somewhere, never twice the same."""
        self.room.canvas.set_level(0.1 + 0.9 * (number * 37 % 100) / 100)
        x, y = 0.2 + 0.6 * (number % 11) / 11, 0.2 + 0.6 * (number % 7) / 7
        self.mouse(QEvent.Type.MouseButtonPress, x, y)
        self.mouse(QEvent.Type.MouseMove, x + 0.05, y + 0.03)
        self.mouse(QEvent.Type.MouseButtonRelease, x + 0.05, y + 0.03)

    # ---- figures --------------------------------------------------------------------------

    def commits(self) -> list[float]:
        """Seconds from the release of the button to the acknowledged commit."""
        times = []
        writer = self.session.workspace
        assert writer is not None
        commit = writer.commit_stroke

        def timed(*arguments: object) -> object:
            start = time.perf_counter()
            future = commit(*arguments)  # type: ignore[arg-type]
            future.add_done_callback(lambda _done: times.append(time.perf_counter() - start))
            return future

        writer.commit_stroke = timed  # type: ignore[assignment,method-assign]
        for number in range(STROKES):
            self.stroke(number)
            self.rest(0.02)
        self.wait(lambda: len(times) == STROKES)
        del writer.commit_stroke  # the method of the class again
        return times

    def undos(self) -> list[float]:
        """Seconds of an undo or a redo with its repaint."""
        times = []
        for act in [self.room.undo] * 40 + [self.room.redo] * 40:
            start = time.perf_counter()
            act()
            self.app.processEvents()
            times.append(time.perf_counter() - start)
            self.rest(0.01)
        return times

    def whole_undos(self) -> list[float]:
        """The same of a mask that was cleared."""
        self.room.act("clear")
        times = []
        for number in range(20):
            start = time.perf_counter()
            (self.room.redo if number % 2 else self.room.undo)()
            self.app.processEvents()
            times.append(time.perf_counter() - start)
            self.rest(0.05)
        self.room.undo()
        return times

    def turns(self) -> list[float]:
        """Seconds from the key to the repainted canvas, neighbours read ahead; every image has paint."""
        for number in range(PHOTOS):
            self.session.selection.current_image = number
            self.stroke(number)
            self.stroke(number + 3)
        self.wait(lambda: self.session.painting.pending == 0)
        self.rest(3)  # the snapshots are made
        prefetch, selection, times = self.room.paint.prefetch, self.session.selection, []
        for number in range(24):
            key = Qt.Key.Key_D if number % 6 != 5 else Qt.Key.Key_A
            at, step = selection.images.index(selection.current_image), 1 if key == Qt.Key.Key_D else -1
            target = selection.images[(at + step) % PHOTOS]
            self.wait(lambda t=target: prefetch.is_ready(t, selection.annotator))  # type: ignore[misc]
            self.rest(0.05)
            start = time.perf_counter()
            QTest.keyClick(self.room.canvas, key)
            self.app.processEvents()
            times.append(time.perf_counter() - start)
            assert selection.current_image == target
        return times

    def dabs(self) -> list[float]:
        """Seconds of a dab with its repaint, begun as soon as another image shows."""
        times = []
        for number in range(8):
            QTest.keyClick(self.room.canvas, Qt.Key.Key_D)
            self.app.processEvents()
            self.mouse(QEvent.Type.MouseButtonPress, 0.2, 0.2)
            for step in range(60):
                start = time.perf_counter()
                self.mouse(QEvent.Type.MouseMove, 0.2 + 0.01 * step, 0.3 + 0.004 * (step + number))
                self.app.processEvents()
                times.append(time.perf_counter() - start)
                time.sleep(0.004)
            self.mouse(QEvent.Type.MouseButtonRelease, 0.8, 0.5)
        return times


def photo(side: int, number: int) -> NDArray[np.uint8]:
    """Colours that change smoothly with some grain, as in a photo."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    waves = (np.sin((30 + number) * x) * 90, np.cos((23 + number) * y) * 90, 200 * x * y - 100)
    grain = np.random.default_rng(number).normal(128, 6, (side, side, 1)).astype(np.float32)
    return (np.stack(waves, axis=2) + grain).clip(0, 255).astype(np.uint8)


def tell(words: str, seconds: Sequence[float], target: float | None) -> bool:
    """Print a figure; whether its target was met."""
    p50, p99 = np.percentile(np.array(seconds) * 1e3, [50, 99])
    aim = "" if target is None else f" (target {target:g} ms)"
    print(f"{words}: p50 {p50:.1f} ms, p99 {p99:.1f} ms{aim}", flush=True)
    return target is None or bool(p99 <= target)


def measure(app: QApplication, side: int) -> bool:
    """Measure one size of image; whether all targets were met."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SIP_EXPLORER_DATA"] = folder
        desk = Desk(app, Path(folder), side)
        met = []
        for brush in (64, 512) if side >= 2048 else (64,):
            desk.room.canvas.set_brush_radius(brush / 2)
            of = f"brush of {brush} px on {side} px"
            met.append(tell(f"stroke saved, {of}", desk.commits(), 100))
            met.append(tell(f"undo or redo with repaint, {of}", desk.undos(), 10))
        met.append(tell(f"undo or redo of a cleared mask, {side} px", desk.whole_undos(), None))
        met.append(tell(f"next image, neighbours read ahead, {side} px", desk.turns(), 50))
        desk.room.canvas.set_brush_radius(32)
        target = 2 if side <= 4096 else 4
        met.append(tell(f"dab while neighbours are read, {side} px", desk.dabs(), target))
        desk.window.close_now()
        desk.window.deleteLater()
    return all(met)


def main() -> int:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 4096])
    sides = parser.parse_args().sides
    app = make_application()
    results = [measure(app, side) for side in sides]
    print(f"load average of the last minute {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
