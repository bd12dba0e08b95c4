"""Runners of long work: a `WorkThread` steps job generators, a `child_job` runs in its own process."""

from sip_explorer.jobs.child import child_job
from sip_explorer.jobs.handle import Job, JobFactory, JobHandle
from sip_explorer.jobs.mailbox import Mailbox
from sip_explorer.jobs.work_thread import WorkThread

__all__ = ["Job", "JobFactory", "JobHandle", "Mailbox", "WorkThread", "child_job"]
