"""Two programs on one workspace: one writes, the others read, and the lock never outlives its holder."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from toy_workspaces import paint

from sip_explorer.records import SipError
from sip_explorer.workspace import Workspace

PAINTER = Path(__file__).with_name("paint_until_killed.py")
OPENER = """
import sys
from sip_explorer.workspace import Workspace
print("ready", flush=True)
sys.stdin.readline()
workspace = Workspace.open(sys.argv[1])
print("reads" if workspace.read_only else "writes", flush=True)
if not workspace.read_only:
    workspace.set_note(0, "Ada", sys.argv[2]).result(20)
sys.stdin.readline()
workspace.close()
"""


@pytest.fixture
def start():
    """Start Python programs; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        started.append(subprocess.Popen([sys.executable, *arguments], stdin=pipe, stdout=pipe, text=True))
        return started[-1]

    yield begin
    for program in started:
        program.kill()
        program.communicate()


def test_while_another_program_paints_nothing_can_be_written_here(
    workspace: Workspace, start: Callable[..., subprocess.Popen[str]]
) -> None:
    workspace.close()
    painter = start(str(PAINTER), str(workspace.path), "5")
    assert painter.stdout is not None
    for _ in range(30):
        assert painter.stdout.readline() == "saved\n"
    with Workspace.open(workspace.path) as second:
        assert f"process {painter.pid}" in second.lock_holder
        assert sum(second.stroke_counts(range(4), "Ada").values()) >= 30, "its strokes show here"
        patch = paint(np.zeros((16, 16), np.uint8), (0, 0, 4, 4), 255)
        for write in (
            lambda: second.commit_stroke(0, "Ada", patch, "brush"),
            lambda: second.set_state(0, "Ada", "skipped"),
            lambda: second.set_note(0, "Ada", "mine"),
            lambda: second.set_setting("guideline", "mine"),
            lambda: second.add_annotator("Grace"),
            lambda: second.adjudicated(),
        ):
            with pytest.raises(SipError, match="nothing can be changed here"):
                write()
        assert (second.note(0, "Ada"), second.setting("guideline")) == ("", "")
    painter.kill()
    painter.wait()
    with Workspace.open(workspace.path) as third:
        assert not third.read_only, "kill -9 of the first gives the lock back"
        third.commit_stroke(0, "Ada", patch, "brush").result(20)
        assert third.strokes(0, "Ada")[-1].box == patch.box


def test_of_programs_that_open_at_once_one_writes(
    workspace: Workspace, start: Callable[..., subprocess.Popen[str]]
) -> None:
    workspace.close()
    programs = [start("-c", OPENER, str(workspace.path), f"number {number}") for number in range(3)]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    did = [program.stdout.readline().strip() for program in programs if program.stdout is not None]
    assert sorted(did) == ["reads", "reads", "writes"]
    for program in programs:
        program.communicate("end\n")
    with Workspace.open(workspace.path) as again:
        assert again.note(0, "Ada") == f"number {did.index('writes')}"
