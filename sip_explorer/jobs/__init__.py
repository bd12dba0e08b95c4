"""Runners of long work: a `WorkThread` steps job generators and serves an interactive lane."""

from sip_explorer.jobs.mailbox import Mailbox
from sip_explorer.jobs.work_thread import Job, JobFactory, JobHandle, WorkThread

__all__ = ["Job", "JobFactory", "JobHandle", "Mailbox", "WorkThread"]
