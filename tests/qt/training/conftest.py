"""The Train room in the real window, on a workspace of squares; and run folders of other programs."""

import numpy as np
import pytest

from sip_explorer.qt.app import make_window
from sip_explorer.records import EventLog, Finished, Metric, Started, write_text
from sip_explorer.salience import Patch
from sip_explorer.state import Session
from sip_explorer.workspace import Workspace

SIDE = 12


@pytest.fixture
def workspace_path(tmp_path):
    """96 training images of two classes: a bright square at the left or at the right."""
    generator = np.random.default_rng(0)
    labels = np.arange(112) % 2
    images = generator.integers(0, 60, (112, SIDE, SIDE, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:8, 1 + 6 * label : 5 + 6 * label] += 150
    test = np.arange(112) >= 96
    path = tmp_path / "squares"
    workspace = Workspace.from_arrays(
        path, "squares", images, labels, ("left", "right"), test=test, collections={"few": range(32)}
    )
    workspace.close()
    return path


@pytest.fixture
def opened(qtbot, qapp):
    """Opens the window on a workspace, and closes it in the end."""
    windows = []

    def open_window(path):
        session = Session()
        window = make_window(qapp, session)
        qtbot.addWidget(window, before_close_func=lambda window: window.close_now())  # it must not ask
        windows.append(window)
        window.resize(1280, 800)
        window.show()
        qtbot.waitExposed(window)
        session.open_workspace(path)
        return window, window.enter("training")

    yield open_window
    for window in windows:
        jobs = window.session.jobs
        for row in jobs.running:
            row.handle.token.cancel()
        qtbot.waitUntil(lambda jobs=jobs: not jobs.running, timeout=20_000)
        window.close()


@pytest.fixture
def room(opened, workspace_path):
    return opened(workspace_path)[1]


@pytest.fixture
def fill():
    """Fills fields of the form in."""

    def choose(room, **values):
        for key, value in values.items():
            room.panel.form.fields[key].set_value(value)

    return choose


@pytest.fixture
def paint():
    """Paints the left half of some images, as the Salience room does."""
    new = np.full((SIDE, SIDE // 2), 255, np.uint8)

    def painted(session, images):
        for image in images:
            patch = Patch((0, 0, SIDE, SIDE // 2), np.zeros_like(new), new)
            session.painting.record(int(image), patch, "brush", session.selection.annotator)

    return painted


@pytest.fixture
def ended(qtbot):
    """Waits until the room's run has ended."""
    return lambda room: qtbot.waitUntil(lambda: not room.working, timeout=60_000)


@pytest.fixture
def write_run():
    """Writes the folder of a run that another program trained."""

    def write(folder, name, losses, *, end=True, best="clean", **recipe):
        folder.mkdir(parents=True)
        fields = {"name": name, "method": "adversarial", "epochs": len(losses), "best": best, **recipe}
        write_text(folder / "recipe.toml", "".join(f"{key} = {value!r}\n" for key, value in fields.items()))
        with EventLog(folder / "events.jsonl") as log:
            log.append(Started(name))
            for epoch, loss in enumerate(losses, start=1):
                log.append(Metric("train/loss", loss, 10 * epoch, float(epoch)))
                log.append(Metric("validation/clean", 0.5 + epoch / 100, 10 * epoch, float(epoch)))
                log.append(Metric("validation/pgd", 0.4 - epoch / 100, 10 * epoch, float(epoch)))
            if end:
                log.append(Finished("completed", {"epochs": len(losses)}))

    return write
