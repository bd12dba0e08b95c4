"""Whether the writer of a folder still works."""

import os
import subprocess
import sys
import time

from sip_explorer.records.liveness import HOST, writer_state


def test_this_process_works_and_an_ended_one_is_gone() -> None:
    assert writer_state(os.getpid(), HOST, time.time()) in ("works", "unknown")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert writer_state(ended.pid, HOST, time.time()) == "gone"


def test_a_number_that_another_process_took_over_is_not_the_writer() -> None:
    long_ago = time.time() - 10 * 365 * 86_400
    assert writer_state(os.getpid(), HOST, long_ago) != "works"


def test_nothing_is_known_of_other_machines_and_old_folders() -> None:
    assert writer_state(os.getpid(), "another-host", time.time()) == "unknown"
    assert writer_state(None, None, time.time()) == "unknown"
    assert writer_state("12", HOST, time.time()) == "unknown"
