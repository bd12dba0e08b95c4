"""Frame times of the real window and answers of its epsilon slider, idle and while a SIP-AT run works.

    python tests/benchmarks/frame_time_while_training.py [--places window process] [--seconds 20]

The run works in the window's device thread (``window``), then in a process of its own (``process``).
The window is painted anew every 16 ms (plots when they change, as always); a frame time is the time
from the end of one painting to the end of the next. A slider's answer is the time from the key that
moves it to the end of the painting that shows its column; a preview's, from the choice of another
image to the first picture of its attack. One figure a line, in milliseconds; figures of a busy
machine mean nothing. Aims on 2 cores: p99 40, longest 100 after the warm-up, slider 300.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the program itself sets it
_folder = tempfile.TemporaryDirectory(prefix="sip-explorer-benchmark-", ignore_cleanup_errors=True)
os.environ["SIP_EXPLORER_DATA"] = _folder.name

from PySide6.QtCore import QEventLoop, Qt, QTimer  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402

from sip_explorer.qt.app import make_application, make_window  # noqa: E402
from sip_explorer.salience import Patch  # noqa: E402
from sip_explorer.state import Session  # noqa: E402

FRAME = 16  # milliseconds
PAINTED = 40  # images with a mask
WARM_UP = 3.0  # seconds of a run that are not measured
ANSWERS = 12


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--room", default="training", help="the room on show while frames are measured")
    parser.add_argument("--places", nargs="+", choices=("window", "process"), default=("window", "process"))
    parser.add_argument("--seconds", type=float, default=20.0, help="how long frames are measured")
    options = parser.parse_args()
    app = make_application()
    session = Session()
    window = make_window(app, session)
    window.resize(1440, 900)
    window.show()
    session.open_demo()
    session.jobs.warm_up()
    training = window.enter("training")
    wait(lambda: session.jobs.device != "")
    paint(session)
    attacks = window.enter("attacks")
    wait(lambda: attacks.growth.growth is not None and attacks.growth.growth.final)
    window.enter(options.room)
    pause(2)
    report("idle", measure(window, options.seconds / 2))
    answers(window, "idle")
    lasted = [run(window, training, place, options.room, options.seconds) for place in options.places]
    window.close_now()
    if not all(lasted):
        print("a run ended before the measurement: it says nothing", file=sys.stderr)
    return 0 if all(lasted) else 1


def run(window: Any, training: Any, place: str, room: str, seconds: float) -> bool:
    """Measure while a run works at ``place``; whether it lasted."""
    window.enter("training")
    for key, value in {
        "method": "sip-at", "salience": "painted", "epochs": "1000", "place": place,
    }.items():  # fmt: skip
        training.panel.form.fields[key].set_value(value)
    training.start_button.click()
    wait(lambda: not training.working or bool(training.control.run.line("train/loss")[0].size), 300)
    window.enter(room)
    pause(WARM_UP)
    report(f"training in {place}", measure(window, seconds))
    answers(window, f"training in {place}")
    lasted = training.working
    training.control.cancel()
    wait(lambda: not training.working, 60)
    return lasted


def paint(session: Session) -> None:
    """Give some images a mask: no model has to make salience first."""
    workspace = session.workspace
    assert workspace is not None
    mask = np.full((12, 12), 255, np.uint8)
    for image in workspace.image_ids(split="train")[:PAINTED]:
        patch = Patch((8, 8, 20, 20), np.zeros_like(mask), mask)
        session.painting.record(int(image), patch, "brush", session.selection.annotator)
    workspace.flush()


def answers(window: Any, what: str) -> None:
    """Move the epsilon slider and choose other images in the Attack room."""
    room = window.enter("attacks")
    session, slider = room.session, room.growth.matrix.slider
    wait(lambda: room.growth.growth is not None and room.growth.growth.final, 30)
    pause(1)
    slid = []
    for number in range(ANSWERS):
        pause(0.15)
        began = time.perf_counter()
        QTest.keyClick(slider, Qt.Key.Key_Left if number % 2 == 0 else Qt.Key.Key_Right)
        window.repaint()
        slid.append(time.perf_counter() - began)
    images = [int(image) for image in session.selection.images[1 : ANSWERS + 1]]
    shown = []
    for image in images:
        before = room.growth.growth
        began = time.perf_counter()
        session.selection.current_image = image
        while room.growth.growth is before and time.perf_counter() - began < 30:
            pause(0.002)
        shown.append(time.perf_counter() - began)
    for name, seconds in (("slider", slid), ("preview of another image", shown)):
        values = np.array(seconds) * 1000
        print(
            f"{name}, {what}: median {np.median(values):.1f} ms, longest {values.max():.1f} ms "
            f"({len(values)} answers)",
            flush=True,
        )


def measure(window: Any, seconds: float) -> np.ndarray:
    """Return the frame times of so many seconds, in milliseconds."""
    ends: list[float] = []
    loop = QEventLoop()
    ticker = QTimer()
    ticker.setTimerType(Qt.TimerType.PreciseTimer)
    ticker.setInterval(FRAME)
    until = time.perf_counter() + seconds

    def paint() -> None:
        window.repaint()
        ends.append(time.perf_counter())
        if ends[-1] > until:
            loop.quit()

    ticker.timeout.connect(paint)
    ticker.start()
    loop.exec()
    ticker.stop()
    return np.diff(ends) * 1000


def report(what: str, frames: np.ndarray) -> None:
    for name, value in (
        ("p50", np.percentile(frames, 50)),
        ("p99", np.percentile(frames, 99)),
        ("longest", frames.max()),
    ):
        print(f"frame time, {what}, {name}: {value:.1f} ms ({len(frames)} frames)", flush=True)


def wait(until: Callable[[], bool], seconds: float = 60.0) -> None:
    """Let the window work until something is true."""
    end = time.perf_counter() + seconds
    while not until() and time.perf_counter() < end:
        pause(0.05)


def pause(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


if __name__ == "__main__":
    sys.exit(main())
