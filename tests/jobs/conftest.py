"""The working thread of the tests, and the mailbox that it posts to."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sip_explorer.jobs import Mailbox, WorkThread

# So that the tests here share `job_waiting`.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def thread(mailbox: Mailbox) -> Iterator[WorkThread]:
    worker = WorkThread("work", mailbox)
    worker.start()
    yield worker
    assert worker.close()
