"""Frame times of the real window, idle and while a SIP-AT run works in the device thread.

    python tests/benchmarks/frame_time_while_training.py [--room training] [--seconds 20]

The window is painted anew every 16 ms (plots when they change, as always); a frame time is the time
from the end of one painting to the end of the next. One figure per line, in milliseconds; figures of
a busy machine mean nothing.
"""

import argparse
import os
import sys
import tempfile
import time

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_folder = tempfile.TemporaryDirectory(prefix="sip-explorer-benchmark-", ignore_cleanup_errors=True)
os.environ["SIP_EXPLORER_DATA"] = _folder.name

from PySide6.QtCore import QEventLoop, Qt, QTimer  # noqa: E402

from sip_explorer.qt.app import make_application, make_window  # noqa: E402
from sip_explorer.records import Metric  # noqa: E402
from sip_explorer.salience import Patch  # noqa: E402
from sip_explorer.state import Session  # noqa: E402

FRAME = 16  # milliseconds
PAINTED = 40  # images with a mask, where there is no model for Grad-CAM


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--room", default="training", help="the room on show while it is measured")
    parser.add_argument("--seconds", type=float, default=20.0)
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
    window.enter(options.room)
    pause(2)
    report("idle", measure(window, options.seconds / 2))

    window.enter("training")
    prepare(session, training)
    training.start_button.click()
    seen: list[Metric] = []
    session.jobs.changed.connect(lambda row: seen.append(row) if row.done > 0 else None)
    wait(lambda: bool(seen) or not training.working, 300)
    window.enter(options.room)
    pause(3)
    frames = measure(window, options.seconds)
    report("training", frames)
    lasted = training.working
    training.cancel()
    wait(lambda: not training.working, 30)
    window.close()
    if not lasted:
        print("the run ended before the measurement: it says nothing", file=sys.stderr)
    return 0 if lasted else 1


def prepare(session: Session, room: object) -> None:
    """Choose the demo's SIP-AT recipe; without a model for Grad-CAM, on painted salience."""
    form = room.panel.form  # type: ignore[attr-defined]
    form.fields["method"].set_value("sip-at")
    entry = session.model(form.value("reference"))
    if entry is None or not entry.metadata:
        workspace = session.workspace
        assert workspace is not None
        mask = np.full((12, 12), 255, np.uint8)
        for image in workspace.image_ids(split="train")[:PAINTED]:
            patch = Patch((8, 8, 20, 20), np.zeros_like(mask), mask)
            session.painting.record(int(image), patch, "brush", session.selection.annotator)
        workspace.flush()
        form.fields["salience"].set_value("painted")


def measure(window: object, seconds: float) -> np.ndarray:
    """Return the frame times of so many seconds, in milliseconds."""
    ends: list[float] = []
    loop = QEventLoop()
    ticker = QTimer()
    ticker.setTimerType(Qt.TimerType.PreciseTimer)
    ticker.setInterval(FRAME)
    until = time.perf_counter() + seconds

    def paint() -> None:
        window.repaint()  # type: ignore[attr-defined]
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


def wait(until: object, seconds: float = 60.0) -> None:
    """Let the window work until something is true."""
    end = time.perf_counter() + seconds
    while not until() and time.perf_counter() < end:  # type: ignore[operator]
        pause(0.05)


def pause(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


if __name__ == "__main__":
    sys.exit(main())
