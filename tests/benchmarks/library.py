"""Print how fast a workspace of 60,000 images opens, scrolls and is searched, and how much memory that takes.

Run: python tests/benchmarks/library.py [--images 60000] [--keep FOLDER]. Once with packed images of 28
pixels, once with JPEG files of 224 pixels (2,000 different ones, linked under other names). Each is
opened in a fresh process, in the Library room; without a display off screen. Memory is the resident set
of the process less that of the same window without a workspace.
"""

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

QUERIES = (
    "boot",
    "image 12",
    "tag:hard",
    "class:class3,class4 -split:test",
    "size>100 -tag:hard",
    "state:painted",
    "is:missing",
    "is:untagged class:class1 split:train 7",
)
SORTS = ("added", "name", "class", "size", "state")
FRAME = 1 / 60


def make_packed(path: Path, count: int) -> None:
    """Make a workspace of packed images of 28 pixels in ten classes."""
    from sip_explorer.workspace import Workspace

    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, 28, 28, 1), np.uint8)
    labels = np.arange(count) % 10
    names = [f"class{i}" for i in range(10)]
    test = np.arange(count) % 6 == 0
    Workspace.from_arrays(path, "packed", images, labels, names, test=test).close()


def make_linked(path: Path, count: int) -> None:
    """Make a workspace of linked JPEG files of 224 pixels."""
    from PIL import Image

    from sip_explorer.workspace import NewImage, Workspace

    files = path.parent / "files"
    files.mkdir()
    generator = np.random.default_rng(0)
    different = min(2000, count)
    for number in range(different):
        rough = generator.integers(0, 256, (14, 14, 3), np.uint8)
        picture = Image.fromarray(rough).resize((224, 224), Image.Resampling.BICUBIC)
        picture.save(files / f"img_{number}.jpg", quality=85)
    listed = []
    for number in range(count):
        file = files / f"img_{number}.jpg"
        if number >= different:
            os.link(files / f"img_{number % different}.jpg", file)
        listed.append(NewImage(number % 10, number % 6 == 0, (224, 224, 3), path=str(file)))
    Workspace.create(path, "linked", [f"class{i}" for i in range(10)], listed).close()


def dress(path: Path) -> None:
    """Tag a third of the images, and say of a thousand that nothing is salient in them."""
    from sip_explorer.workspace import Workspace

    with Workspace.open(path) as workspace:
        ids = workspace.image_ids()
        workspace.tag_images(ids[::3], "hard")
        workspace.tag_images(ids[::100], "night")
        workspace.add_annotator("Ana")
        for image in ids[:1000].tolist():
            workspace.set_state(image, "Ana", "empty")


# ---- in a process of its own ------------------------------------------------------------------


def resident() -> float:
    """Return the resident set in MB."""
    with contextlib.suppress(OSError):  # Linux; elsewhere the highest so far
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def child(path: str, began: float, whole: bool) -> None:
    """Open the window on ``path`` ("": none), look, scroll, search; print figures."""
    from PySide6.QtCore import Qt, QTimer

    from sip_explorer.qt.app import make_application, make_window
    from sip_explorer.state import Session

    app = make_application()
    session = Session()
    session.settings["room"] = "library"
    session.settings["annotator"] = "Ana"
    window = make_window(app, session)
    window.resize(1440, 900)
    window.show()
    app.processEvents()
    grid = window.rooms["library"].images.grid

    def settle(seconds: float) -> None:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            app.processEvents()
            time.sleep(0.002)

    def wait_for_pictures(limit: float = 10.0) -> bool:
        """Until every cell in view has its picture, and it was painted."""
        until = time.perf_counter() + limit
        while time.perf_counter() < until:
            app.processEvents()
            shown = in_view(grid)
            while shown and time.perf_counter() < until:
                if all(grid.pictures.has(image) for image in shown):
                    grid.viewport().repaint()
                    return True
                app.processEvents()
                time.sleep(0.001)
            time.sleep(0.001)
        return False

    if not path:
        settle(3)
        print(f"memory {resident()}")
        window.close_now()
        return
    print(f"window {time.time() - began}")
    start = time.perf_counter()
    session.open_workspace(path)
    opened = time.perf_counter()
    painted = wait_for_pictures()
    print(f"open_call {opened - start}\nopen {time.perf_counter() - start if painted else 99}")
    print(f"start {time.time() - began}")
    settle(2)
    print(f"memory_open {resident()}")
    for name, rows in (("scroll", 0.2), ("leap", None)):
        intervals = scroll(app, grid, rows, QTimer, Qt)
        print(f"{name}_p99 {np.percentile(intervals, 99)}\n{name}_fps {len(intervals) / sum(intervals)}")
    if whole:
        look_at_everything(grid, wait_for_pictures)
    settle(1)
    print(f"memory_whole {resident()}")
    search(session, window.rooms["library"].library)
    window.close_now()


def in_view(grid: object) -> list[int]:
    """Return the ids of the images whose cells are in view."""
    from PySide6.QtCore import QPoint

    view = grid.viewport().rect()  # type: ignore[attr-defined]
    first = grid.indexAt(QPoint(20, 20)).row()  # type: ignore[attr-defined]
    found = []
    for row in range(max(first, 0), len(grid.images.ids)):  # type: ignore[attr-defined]
        cell = grid.visualRect(grid.images.index(row))  # type: ignore[attr-defined]
        if cell.top() > view.bottom():
            break
        found.append(grid.images.id_at(row))  # type: ignore[attr-defined]
    return found


def scroll(app: object, grid: object, rows: float | None, timers: type, qt: type) -> list[float]:
    """Scroll for 5 s, ``rows`` rows a frame (None: through everything); return the seconds of each frame.

    A frame lasts from one picture with the bar at another place to the next one.
    """
    from PySide6.QtCore import QEvent, QEventLoop, QObject

    bar = grid.verticalScrollBar()  # type: ignore[attr-defined]
    bar.setValue(0)
    step = bar.maximum() / (5 / FRAME) if rows is None else rows * 110
    painted: list[float] = []
    moved = False

    class Watch(QObject):
        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
            nonlocal moved
            if event.type() == QEvent.Type.Paint and moved:
                moved = False
                painted.append(time.perf_counter())
            return False

    watch, loop, timer = Watch(), QEventLoop(), timers()
    grid.viewport().installEventFilter(watch)  # type: ignore[attr-defined]
    timer.setTimerType(qt.TimerType.PreciseTimer)  # type: ignore[attr-defined]
    timer.setInterval(16)
    at, end = 0.0, time.perf_counter() + 5

    def tick() -> None:
        nonlocal at, moved
        at += step
        bar.setValue(round(at) % (bar.maximum() + 1))
        moved = True
        if time.perf_counter() > end:
            loop.quit()

    timer.timeout.connect(tick)
    timer.start()
    loop.exec()
    timer.stop()
    grid.viewport().removeEventFilter(watch)  # type: ignore[attr-defined]
    return np.diff(painted).tolist()


def look_at_everything(grid: object, wait: Callable[[], bool]) -> None:
    """Show every sixth page until its pictures are there: many times what any cache holds."""
    bar = grid.verticalScrollBar()  # type: ignore[attr-defined]
    for value in range(0, bar.maximum() + bar.pageStep(), 6 * bar.pageStep()):
        bar.setValue(value)
        if not wait():
            print("stuck 1")
            return


def search(session: object, library: object) -> None:
    """Time queries and orders, the first time each and again."""
    from sip_explorer.workspace import LibrarySearch

    def found(query: str, sort: str) -> float:
        start = time.perf_counter()
        missing = library.missing  # type: ignore[attr-defined]
        LibrarySearch(session.workspace, "Ana", missing=missing).find(query, sort, descending=True)  # type: ignore[attr-defined]
        return time.perf_counter() - start

    session.workspace.refresh()  # type: ignore[attr-defined]
    first = found("boot", "name")
    times = {(query, sort): max(found(query, sort) for _ in range(5)) for query in QUERIES for sort in SORTS}
    worst = max(times, key=times.__getitem__)
    print(f"search_first {first}\nsearch_median {statistics.median(times.values())}")
    print(f"search_worst {times[worst]}")
    start = time.perf_counter()
    library.ask("class:class3")  # type: ignore[attr-defined]
    print(f"search_shown {time.perf_counter() - start}")


# ---- the figures ------------------------------------------------------------------------------


def measure(path: str, whole: bool) -> dict[str, float]:
    """Run `child` in a process of its own; return its figures by name."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SIP_EXPLORER_DATA": folder}
        if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        command = [sys.executable, __file__, "--child", path, "--began", repr(time.time())]
        run = subprocess.run(
            [*command, *(["--whole"] if whole else [])],
            env=environment, stdout=subprocess.PIPE, text=True, timeout=1800, check=True,
        )  # fmt: skip
    figures = [line.split() for line in run.stdout.splitlines()]
    return {name: float(value) for name, value in figures}


def report(kind: str, figures: dict[str, float], empty: float) -> None:
    """Print one figure a line."""
    print(f"{kind}:")
    for name, words, unit, scale in (
        ("start", "process start to a painted grid", "s", 1),
        ("window", "of that, to the empty window", "s", 1),
        ("open", "opening the workspace to a painted grid", "s (at most 1.5)", 1),
        ("open_call", "of that, the call that opens it", "s", 1),
        ("scroll_p99", "scrolling a row in 5 frames: 99 % of frames within", "ms", 1e3),
        ("scroll_fps", "scrolling a row in 5 frames", "frames/s (at least 60)", 1),
        ("leap_p99", "scrolling through everything in 5 s: 99 % of frames within", "ms", 1e3),
        ("leap_fps", "scrolling through everything in 5 s", "frames/s", 1),
        ("search_first", "the first search, names read and sorted", "ms", 1e3),
        ("search_median", "a search, sorted", "ms (at most 50)", 1e3),
        ("search_worst", "the worst search of 200", "ms", 1e3),
        ("search_shown", "a search with what shows it", "ms", 1e3),
    ):
        print(f"  {words}: {scale * figures[name]:.2f} {unit}")
    for name, words in (("memory_open", "after opening"), ("memory_whole", "after scrolling through it")):
        print(f"  memory above the empty program, {words}: {figures[name] - empty:.0f} MB (at most 300)")
    if "stuck" in figures:
        print("  some pictures never came")


def main() -> None:
    """Make the workspaces, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=60_000)
    arguments.add_argument("--keep", type=Path, help="folder of the workspaces, used again where it is there")
    arguments.add_argument("--fast", action="store_true", help="do not wait for every single picture")
    arguments.add_argument("--child", help=argparse.SUPPRESS)
    arguments.add_argument("--began", type=float, default=0.0, help=argparse.SUPPRESS)
    arguments.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.child is not None:
        child(given.child, given.began, given.whole)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        makers = {"packed 28 px": make_packed, "linked JPEG 224 px": make_linked}
        paths = {kind: folder / kind.split()[0] for kind in makers}
        for kind, path in paths.items():
            if not path.exists():
                makers[kind](path, given.images)
                dress(path)
        measure("", whole=False)  # warms the disk
        empty = measure("", whole=False)["memory"]
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        words = f"{os.cpu_count()} cores under a load of {load:.1f}"
        print(f"{given.images:,} images, {words}; the empty program takes {empty:.0f} MB", flush=True)
        for kind, path in paths.items():
            measure(str(path), whole=False)
            report(kind, measure(str(path), whole=not given.fast), empty)


if __name__ == "__main__":
    main()
