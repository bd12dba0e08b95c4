"""Records that every layer shares: events, errors, cancellation, atomic files, event logs."""

from sip_explorer.records.atomic import atomic_path, write_bytes, write_text
from sip_explorer.records.cancel import Cancelled, CancelToken
from sip_explorer.records.errors import SipError
from sip_explorer.records.events import (
    Artefact,
    Event,
    Failed,
    Finished,
    Metric,
    Notice,
    Progress,
    Started,
    event_from_json,
    event_to_json,
)
from sip_explorer.records.log import EventLog, read_events

__all__ = [
    "Artefact",
    "CancelToken",
    "Cancelled",
    "Event",
    "EventLog",
    "Failed",
    "Finished",
    "Metric",
    "Notice",
    "Progress",
    "SipError",
    "Started",
    "atomic_path",
    "event_from_json",
    "event_to_json",
    "read_events",
    "write_bytes",
    "write_text",
]
