"""The real window, killed while someone paints in it: nothing that it called saved is gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parents[1] / "benchmarks" / "kills.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_five_kills_of_the_window_lose_nothing() -> None:
    done = subprocess.run([sys.executable, str(KILLS), "5"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert figures["kills"] == "5"
    assert figures["lost or changed"] == "0"
    assert int(figures["strokes acknowledged before a kill"]) > 0
