"""A checkpoint tried, added, measured and checked as jobs, the way the window calls them."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sip_explorer.jobs import JobHandle
from sip_explorer.models import Choice, build_classifier
from sip_explorer.records import Artefact, Event, Failed, Finished, SipError
from sip_explorer.state import Session, Settings
from sip_explorer.state.model_adding import add_chosen, check, look_at_model, measure, try_model
from sip_explorer.workspace import Workspace


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), np.uint8)
    path = tmp_path / "pets"
    Workspace.from_arrays(path, "Pets", pixels, np.arange(12) % 2, ("cat", "dog")).close()
    opened = Session(Settings(tmp_path / "settings.json"))
    opened.open_workspace(path)
    yield opened
    opened.close(discard=True)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    model = build_classifier(
        "small-cnn", classes=("cat", "dog"), input_shape=(1, 8, 8), mean=(0,), std=(1,), seed=0
    )
    path = tmp_path / "theirs.safetensors"
    save_file(model.network.state_dict(), path)
    return path


def drain(session: Session, asked: JobHandle | None = None) -> None:
    """Take in what the jobs say until all of them ended."""
    deadline = time.monotonic() + 60
    while session.jobs.running or not (asked is None or asked.done):
        assert time.monotonic() < deadline
        session.mailbox.drain(0.1)
        time.sleep(0.005)
    session.mailbox.drain(1.0)


def made(events: list[Event]) -> object:
    *_, last = (event for event in events if isinstance(event, Artefact))
    return last.data


def test_from_the_file_to_a_measured_card(session: Session, foreign: Path) -> None:
    told: list[str] = []
    session.problem.connect(lambda sentence, _details: told.append(sentence))
    events: list[Event] = []
    drain(session, look_at_model(session, foreign, events.append))
    assert made(events).architecture == "small-cnn"  # type: ignore[attr-defined]

    events.clear()
    drain(session, try_model(session, foreign, Choice(classes=("cat", "dog")), events.append))
    result = made(events)
    assert {each.total for each in result.rows} == {12}  # type: ignore[attr-defined]

    add_chosen(session, foreign, result.proposal, result.reason, "mine", "MIT")  # type: ignore[attr-defined]
    drain(session)
    (entry,) = session.models
    assert session.selection.current_model == entry.id
    assert entry.card is not None
    assert (entry.card.choice, entry.card.licence) == (result.proposal, "MIT")  # type: ignore[attr-defined]

    listed = []
    session.models_changed.connect(lambda: listed.append(session.models[0].card))
    measure(session, entry)
    drain(session)
    drain(session, check(session, entry))
    assert told == []
    assert listed[-1] is not None
    assert [each.total for each in listed[-1].measured] == [12, 12]
    assert listed[-1].checks
    assert told == []


def test_what_goes_wrong_reaches_whoever_asked(session: Session, tmp_path: Path) -> None:
    told: list[str] = []
    session.problem.connect(lambda sentence, _details: told.append(sentence))
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"<html>not found</html>")
    events: list[Event] = []
    drain(session, look_at_model(session, bad, events.append))
    drain(session, try_model(session, bad, Choice(), events.append))
    failures = [event.message for event in events if isinstance(event, Failed)]
    assert len(failures) == 2
    assert all("bad.pt" in message for message in failures)
    assert told == [], "the dialogue shows these"
    add_chosen(session, bad, Choice())
    drain(session)
    assert len(told) == 1
    assert "bad.pt" in told[0]


def test_a_changed_choice_is_loaded_anew_in_the_open_program(session: Session, foreign: Path) -> None:
    add_chosen(session, foreign, Choice(normalisation=((0.5,), (0.5,))))
    drain(session)
    (entry,) = session.models
    assert session.load_classifier(entry).mean.item() == 0.5
    assert session.workspace is not None
    session.workspace.set_choice(entry, Choice(normalisation=((0.25,), (0.5,))), "by hand")
    assert session.load_classifier(entry).mean.item() == 0.25


def test_models_whose_choice_names_the_classes_come_first(session: Session, tmp_path: Path) -> None:
    for number in range(2):
        model = build_classifier(
            "small-cnn", classes=("cat", "dog"), input_shape=(1, 8, 8), mean=(0,), std=(1,), seed=number
        )
        save_file(model.network.state_dict(), tmp_path / f"{number}.safetensors")
    assert session.workspace is not None
    session.workspace.add_model(tmp_path / "0.safetensors")
    chosen = session.workspace.add_model(tmp_path / "1.safetensors", choice=Choice(classes=("dog", "cat")))
    session.refresh_models()
    assert session.selection.current_model == chosen.id


def test_without_a_workspace_nothing_is_added(tmp_path: Path) -> None:
    session = Session(Settings(tmp_path / "none.json"))
    with pytest.raises(SipError, match="No workspace is open"):
        add_chosen(session, tmp_path / "net.pt")
    session.close()


def test_a_cancelled_trial_ends_soon(session: Session, foreign: Path) -> None:
    torch.manual_seed(0)
    events: list[Event] = []
    asked = try_model(session, foreign, Choice(), events.append)
    asked.token.cancel()
    drain(session, asked)
    assert isinstance(events[-1], Finished)
    assert events[-1].outcome == "cancelled"
    assert not [event for event in events if isinstance(event, Artefact)]
