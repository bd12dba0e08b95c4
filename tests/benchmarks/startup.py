"""Print how long the program takes from process start to the window and to the first painted image.

Run: python tests/benchmarks/startup.py [runs]. The first run warms the disk and is not counted. Each
run is a fresh process on a data folder that already holds the demo; without a display it runs off screen.
"""

import os
import statistics
import subprocess
import sys
import tempfile

CHILD = """
import sys, time
began = float(sys.argv[1])
from PySide6.QtCore import QEvent, QObject, QTimer
from sip_explorer.qt import app as program
from sip_explorer.qt import window as windows

class Watch(QObject):
    shown = 0.0
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            now = time.time() - began
            if not self.shown and watched.isWindow():
                self.shown = now
                print(f"window {now:.3f}", flush=True)
            canvas = getattr(watched, "has_image", None)
            if canvas is not None and watched.has_image():
                # The event is filtered before the paint: the picture is up one turn later.
                QTimer.singleShot(0, done)
                watched.removeEventFilter(self)
        return False

def done():
    print(f"image {time.time() - began:.3f}", flush=True)
    window.close_now()
    application.quit()

watch = Watch()
make = program.make_window
def made(application_, session):
    global window, application
    application = application_
    window = make(application_, session)
    application_.installEventFilter(watch)
    return window
program.make_window = made
program.run(None)
"""


def measure(folder: str) -> dict[str, float]:
    """Start the program once in a process of its own; return seconds by name."""
    import time

    environment = {**os.environ, "SIP_EXPLORER_DATA": folder}
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        environment["QT_QPA_PLATFORM"] = "offscreen"
    run = subprocess.run(
        [sys.executable, "-c", CHILD, repr(time.time())],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    figures = [line.split() for line in run.stdout.splitlines()]
    return {name: float(value) for name, value in figures}


def main() -> None:
    """Print the median of several starts, one figure per line."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        measure(folder)
        results = [measure(folder) for _ in range(runs)]
    for name, words in (("window", "process start to window shown"), ("image", "to a painted first image")):
        values = [result[name] for result in results]
        print(
            f"{words}: median {statistics.median(values):.2f} s, worst {max(values):.2f} s of {runs} starts"
        )


if __name__ == "__main__":
    main()
