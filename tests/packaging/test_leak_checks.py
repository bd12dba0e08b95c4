"""The checks of conftest.py must fail a test that leaves something behind, or they prove nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

LEAKS = """
import threading

from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QWidget

kept = []


def test_timer(qapp):
    timer = QTimer()
    timer.start(1000)
    kept.append(timer)


def test_widget(qapp):
    kept.append(QWidget())


def test_python_thread(qapp):
    thread = threading.Thread(target=threading.Event().wait, daemon=True, name="forgotten")
    thread.start()


def test_qt_thread(qapp):
    thread = QThread()
    thread.start()
    kept.append(thread)
    qapp.aboutToQuit.connect(lambda: (thread.quit(), thread.wait()))


def test_tidy(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    timer = QTimer(widget)
    timer.start(1000)
    thread = threading.Thread(target=widget.objectName)
    thread.start()


def teardown_module():
    for item in kept:
        if isinstance(item, QThread):
            item.quit()
            item.wait()
"""


def test_each_kind_of_leak_fails_its_test(tmp_path):
    conftest = Path(__file__).parents[1] / "conftest.py"
    (tmp_path / "conftest.py").write_text(
        conftest.read_text(encoding="utf-8").replace("THREAD_GRACE = 5.0", "THREAD_GRACE = 0.2"),
        encoding="utf-8",
    )
    (tmp_path / "test_leaks.py").write_text(LEAKS, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rE", "-p", "no:cacheprovider", "test_leaks.py"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "5 passed, 4 errors" in done.stdout, done.stdout + done.stderr
    for name, what in (
        ("test_timer", "running QTimer of nobody"),
        ("test_widget", "top-level widget QWidget ''"),
        ("test_python_thread", "thread forgotten"),
        ("test_qt_thread", "QThread QThread ''"),
    ):
        assert re.search(rf"ERROR at teardown of {name} _*\nleft behind: {what}", done.stdout), done.stdout
