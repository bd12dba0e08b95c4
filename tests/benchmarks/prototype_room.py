"""Print how fast the Prototype room's questions are answered on the demo's flow, and what a hand meets.

Run: python tests/benchmarks/prototype_room.py [--threads 2] [--flow FILE] [--rounds 15]. First the questions
alone (median and slowest, milliseconds): 64 samples (target 250) and one image of a walk, which is one step
of the slider (target 50). Then the same in the window, off screen where there is no display: from the
slider's event to the new picture, with the 30 drains a second through which answers come.
Figures of a busy machine mean nothing; "work" is the time of all cores together, which such a machine
changes less.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the program itself sets it

DEMO = Path(__file__).parents[2] / "resources" / "demo"


def timed(act: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Return median and largest milliseconds of ``act`` after one warm-up, and of the cores' work."""
    act()
    times, work = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        act()
        times.append(1000 * (time.perf_counter() - began))
        work.append(1000 * (time.process_time() - used))
    return statistics.median(times), max(times), statistics.median(work)


def report(words: str, times: tuple[float, float, float], target: int) -> None:
    """Print one line."""
    print(f"{words:42} {times[0]:8.1f} {times[1]:8.1f} {times[2]:8.1f} {target:7d}", flush=True)


def heading(words: str) -> None:
    """Print the names of the columns."""
    print(f"{words:42} {'median':>8} {'slowest':>8} {'work':>8} {'target':>7}  ms")


def questions(flow_path: Path, rounds: int) -> None:
    """Time the questions in this thread."""
    from sip_explorer.data.packed import PackedImages
    from sip_explorer.protoflow import load_protoflow
    from sip_explorer.qt.rooms.prototypes import image_requests, requests
    from sip_explorer.records import CancelToken

    flow = load_protoflow(flow_path)
    kept = requests.Kept(lambda: flow)
    with PackedImages.open(DEMO / "images.h5") as packed:
        image = packed.read([0])[0]
    token = CancelToken()

    def ask(job: requests.Job) -> int:
        return sum(event is not None for event in job(token))

    place = iter(np.linspace(0, 1, 10_000))
    cell = (min(7, len(flow.classes) - 1), 0)
    rows: list[tuple[str, int, Callable[[], object]]] = [
        ("64 samples, in parts", 250, lambda: ask(requests.samples(kept, cell, 64, 0.7, 0.7, None, 0))),
        (
            "the first 4 of them",
            50,
            lambda: next(iter(requests.samples(kept, cell, 64, 0.7, 0.7, None, 0)(token))),
        ),
        (
            "slider step: one image of a walk",
            50,
            lambda: ask(image_requests.step(kept, 0, lambda: image, cell, float(next(place)))),
        ),
        (
            "one image explained, way back included",
            200,
            lambda: (setattr(kept, "_code", None), ask(image_requests.inverted(kept, 0, lambda: image))),
        ),
        ("walk of 9, moving pixels, gradient", 300,
         lambda: ask(image_requests.toward(kept, 0, lambda: image, cell))),
    ]  # fmt: skip
    heading("question")
    for words, target, act in rows:
        report(words, timed(act, rounds), target)


def window(flow_path: Path, rounds: int, threads: int) -> None:
    """Time a slider's event until its picture is there, in the window."""
    import torch

    from sip_explorer.data.packed import PackedImages
    from sip_explorer.qt.app import make_application, make_window
    from sip_explorer.state import Session
    from sip_explorer.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        with PackedImages.open(DEMO / "images.h5") as packed:
            images, labels, classes = packed.read(np.arange(40)), packed.labels[:40], packed.classes
        Workspace.from_arrays(Path(folder) / "w", "w", images, labels, classes).close()
        app = make_application()
        session = Session()
        frame = make_window(app, session)
        frame.resize(1500, 950)
        frame.show()
        session.open_workspace(Path(folder) / "w")
        session.add_model(flow_path)
        room = frame.enter("prototypes")

        def wait(until: Callable[[], bool], seconds: float = 120) -> None:
            end = time.monotonic() + seconds
            while not until():
                if time.monotonic() > end:
                    raise TimeoutError("the room did not answer")
                app.processEvents()
                time.sleep(0.0005)

        wait(lambda: room.last_samples is not None and room.last_inverted is not None and not room.asking)
        torch.set_num_threads(threads)
        view, sampling = room.image_view, room.samples_view.sampling
        values = iter(range(1, 1000))

        def samples() -> None:
            value = next(values) % 100 / 100
            sampling.temperature.setValue(value)
            wait(lambda: not room.asking and abs(room.last_samples.temperature - value) < 1e-9)

        def step() -> None:
            value = (next(values) * 37) % 1000 / 1000
            view.walk.go(value)
            wait(lambda: view.last_step is not None and abs(view.last_step.t - value) < 1e-9)

        sampling.count.setCurrentIndex(sampling.count.findText("64"))
        wait(lambda: len(room.last_samples.images) == 64 and not room.asking)
        print()
        heading("in the window")
        report("temperature moved: all 64 samples", timed(samples, rounds), 250)
        room.show_view(view)
        wait(lambda: view.last_maps is not None and not room.asking)
        report("walk moved: its picture", timed(step, rounds), 50)
        frame.close_now()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--flow", type=Path, default=DEMO / "models" / "fashion-protoflow.safetensors")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(arguments.threads)
    print(f"{arguments.flow.name}, {arguments.threads} threads, {os.cpu_count()} cores")
    questions(arguments.flow, arguments.rounds)
    window(arguments.flow, arguments.rounds, arguments.threads)


if __name__ == "__main__":
    main()
