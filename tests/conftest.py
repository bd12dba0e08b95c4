"""What every test runs in: folders of its own, one torch thread, no screen, and nothing left behind."""

import gc
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Before anything imports torch or Qt. A person's own settings, workspaces and models are never touched.
_session_folder = tempfile.TemporaryDirectory(prefix="sip-explorer-tests-", ignore_cleanup_errors=True)
_USER_FOLDERS = {
    "SIP_EXPLORER_DATA": "data",
    "XDG_DATA_HOME": "xdg-data",
    "XDG_CONFIG_HOME": "xdg-config",
    "XDG_STATE_HOME": "xdg-state",
    "XDG_CACHE_HOME": "xdg-cache",
    "XDG_RUNTIME_DIR": "xdg-runtime",
}
for _variable, _name in _USER_FOLDERS.items():
    _folder = Path(_session_folder.name) / _name
    _folder.mkdir(mode=0o700)
    os.environ[_variable] = str(_folder)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
# foolbox imports GitPython, which refuses a machine without git unless told to be quiet.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

# The same examples every time, and no deadline: a slow machine is no fault.
# HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

THREAD_GRACE = 5.0  # seconds that a thread which was told to end may still take


@pytest.fixture(autouse=True)
def user_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test data, settings and state folders of its own; return the data folder."""
    for variable in ("SIP_EXPLORER_DATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        folder = tmp_path / "user" / _USER_FOLDERS[variable]
        folder.mkdir(parents=True)
        monkeypatch.setenv(variable, str(folder))
    return Path(os.environ["SIP_EXPLORER_DATA"])


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a Qt test that leaves a thread, a running timer or a top-level widget behind.

    After napari (BSD-3): what is left in one test breaks another one later, far from its cause.
    """
    if not {"qtbot", "qapp"} & set(request.fixturenames):
        yield
        return
    from PySide6.QtCore import QThread, QTimer
    from PySide6.QtWidgets import QApplication

    timers = _record_starts(monkeypatch, QTimer)
    qt_threads = _record_starts(monkeypatch, QThread)
    threads_before = set(threading.enumerate())
    widgets_before = (
        {id(widget) for widget in QApplication.topLevelWidgets()} if QApplication.instance() else set()
    )
    yield

    def left_behind() -> list[str]:
        left = [f"thread {thread.name}" for thread in _still_running(threads_before)]
        left += [f"QThread {_name_of(thread)}" for thread in _valid(qt_threads) if thread.isRunning()]
        left += [
            f"running QTimer of {_name_of(timer.parent())}" for timer in _valid(timers) if timer.isActive()
        ]
        left += [
            f"top-level widget {_name_of(widget)}"
            for widget in QApplication.topLevelWidgets()
            if id(widget) not in widgets_before
        ]
        return left

    _settle()
    if not left_behind():
        return
    gc.collect()  # slow with torch in memory, so only where something waits for it
    _settle()
    left = left_behind()
    if left:
        _clear_up(_valid(timers))
        pytest.fail("left behind: " + ", ".join(left), pytrace=False)


def _record_starts(monkeypatch: pytest.MonkeyPatch, kind: type) -> "weakref.WeakSet[Any]":
    """Remember every object of a Qt class whose ``start`` is called."""
    started: weakref.WeakSet[Any] = weakref.WeakSet()
    original = kind.start  # type: ignore[attr-defined]

    def start(self: Any, *arguments: Any) -> None:
        started.add(self)
        original(self, *arguments)

    monkeypatch.setattr(kind, "start", start)
    return started


def _valid(objects: "weakref.WeakSet[Any]") -> list[Any]:
    import shiboken6

    return [item for item in objects if shiboken6.isValid(item)]


def _settle() -> None:
    """Let Qt deliver what is posted and delete what was asked to be deleted."""
    from PySide6.QtCore import QCoreApplication, QEvent

    for _ in range(2):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QCoreApplication.processEvents()


def _still_running(before: set[threading.Thread]) -> list[threading.Thread]:
    deadline = time.monotonic() + THREAD_GRACE
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread for thread in left if thread.is_alive()]


def _name_of(item: Any) -> str:
    return "nobody" if item is None else f"{type(item).__name__} {item.objectName()!r}"


def _clear_up(timers: list[Any]) -> None:
    """Stop what leaked, so that only the test that left it fails."""
    from PySide6.QtWidgets import QApplication

    for timer in timers:
        timer.stop()
    for widget in QApplication.topLevelWidgets():
        widget.close()
        widget.deleteLater()
    _settle()
