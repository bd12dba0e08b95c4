"""The open program without a window: opening, painting, models, and what goes wrong in between."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.salience import Patch
from sip_explorer.state import ModelShelf, Session, Settings
from sip_explorer.state import painting as painting_module
from sip_explorer.workspace import ModelEntry, Workspace


def make(path: Path, images: int = 4) -> Path:
    pixels = np.zeros((images, 8, 8, 1), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(images)
    Workspace.from_arrays(path, path.name, pixels, np.arange(images) % 2, ("cat", "dog")).close()
    return path


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = Session(Settings(tmp_path / "settings.json"))
    opened.settings["annotator"] = "Ana"
    opened.told = []  # type: ignore[attr-defined]
    opened.problem.connect(lambda sentence, _details: opened.told.append(sentence))
    yield opened
    opened.close(discard=True)


def dab(value: int = 255, size: int = 2) -> Patch:
    old = np.zeros((size, size), np.uint8)
    return Patch((0, 0, size, size), old, old + np.uint8(value))


def test_an_annotator_is_known_in_any_case(session: Session, tmp_path: Path) -> None:
    session.open_workspace(make(tmp_path / "pets"))
    assert session.selection.annotator == "Ana"
    session.choose_annotator("ANA")
    assert session.selection.annotator == "Ana"
    session.close_workspace()
    session.settings["annotator"] = "ana"
    opened: list[object] = []
    session.workspace_changed.connect(opened.append)
    session.open_workspace(tmp_path / "pets")
    assert session.selection.annotator == "Ana"
    assert len(opened) == 1


def test_an_edit_that_cannot_be_kept_changes_nothing(session: Session, tmp_path: Path) -> None:
    make(tmp_path / "pets")
    with Workspace.open(tmp_path / "pets"):
        session.open_workspace(tmp_path / "pets")
        assert session.workspace is not None
        assert session.workspace.read_only
        mask = np.zeros((8, 8), np.uint8)
        session.painting.edited.connect(lambda _image, patch: patch.apply(mask))
        with pytest.raises(SipError):
            session.painting.apply(0, dab(), "clear")
        assert not mask.any()
        dab().apply(mask)  # what the canvas did before it announced the stroke
        with pytest.raises(SipError):
            session.painting.record(0, dab(), "brush", "Ana")
        assert not mask.any()
        assert not session.painting.can_undo(0)


def test_an_undo_that_cannot_be_kept_can_be_tried_again(session: Session, tmp_path: Path) -> None:
    session.open_workspace(make(tmp_path / "pets"))
    session.painting.record(0, dab(), "brush", "Ana")
    session.selection.annotator = "nobody"  # the store knows no such annotator
    (history,) = session.painting._histories.values()
    session.painting._histories[0, 0] = history  # the number of those whom nobody knows
    with pytest.raises(SipError, match="nobody"):
        session.painting.undo(0)
    session.selection.annotator = "Ana"
    assert session.painting.can_undo(0)
    assert session.painting.undo(0)
    assert session.painting.can_redo(0)


def test_histories_take_no_more_memory_than_they_may(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting_module, "MEMORY", 3 * dab(size=8).nbytes)
    session.open_workspace(make(tmp_path / "pets"))
    for image in range(4):
        session.painting.record(image, dab(size=8), "brush", "Ana")
    assert [session.painting.can_undo(image) for image in range(4)] == [False, True, True, True]


def test_a_stroke_saved_late_says_nothing_about_the_next_workspace(session: Session, tmp_path: Path) -> None:
    session.open_workspace(make(tmp_path / "pets"))
    make(tmp_path / "small", images=2)
    session.painting.record(3, dab(), "brush", "Ana")
    changed: list[int] = []
    session.masks_changed.connect(changed.append)
    session.open_workspace(tmp_path / "small")  # saves first; the news of it waits in the mailbox
    session.mailbox.drain(1.0)
    assert session.painting.pending == 0
    assert changed == []


def test_a_workspace_that_cannot_be_left_stays_as_it_was(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.open_workspace(make(tmp_path / "pets"))
    make(tmp_path / "others")
    session.selection.current_image = 2
    before = session.workspace
    assert before is not None

    def refuse(*, discard: bool = False) -> None:
        if not discard:
            raise SipError("1 change is not saved yet.")

    with monkeypatch.context() as patched:
        patched.setattr(before, "close", refuse)
        assert not session.attempt(lambda: session.open_workspace(tmp_path / "others"))
    assert session.workspace is before
    assert session.selection.current_image == 2
    with Workspace.open(tmp_path / "others") as other:
        assert not other.read_only, "the workspace that was not entered is still locked"


def test_what_a_listener_meets_is_told_as_a_problem(session: Session) -> None:
    def listener(_image: object) -> None:
        raise SipError("The picture a.png is no longer there.")

    session.selection.current_image_changed.connect(listener)

    def choose() -> None:
        session.selection.current_image = 3

    assert not session.attempt(choose)
    assert session.told == ["The picture a.png is no longer there."]  # type: ignore[attr-defined]


def test_the_list_of_jobs_forgets_the_oldest(session: Session) -> None:
    for number in range(20):
        session.jobs.run(f"job {number}", lambda _token: iter(()), lambda _event: None, on="disk")
    session.jobs.close()
    session.mailbox.drain(5.0)
    assert len(session.jobs.rows) == 12
    assert session.jobs.rows[-1].title == "job 19"


def test_a_model_written_anew_is_loaded_anew(tmp_path: Path) -> None:
    from sip_explorer.models import build_classifier, save_checkpoint

    def save(seed: int) -> None:
        shape = {"input_shape": (1, 28, 28), "mean": (0,), "std": (1,)}
        model = build_classifier("small-cnn", classes=("cat", "dog"), seed=seed, **shape)  # type: ignore[arg-type]
        save_checkpoint(tmp_path / "model.safetensors", model)

    shelf, path = ModelShelf(), tmp_path / "model.safetensors"
    entry = ModelEntry("model", "model", path, "classifier", "file")
    save(0)
    first = shelf.classifier(entry, "cpu")
    assert shelf.classifier(entry, "cpu") is first
    save(1)
    second = shelf.classifier(entry, "cpu")
    assert second is not first
    path.unlink()
    assert shelf.classifier(entry, "cpu") is second


def test_a_flow_is_loaded_on_its_device_where_its_round_trip_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(
        "sip_explorer.protoflow.load_protoflow", lambda path, device: asked.append((path, device))
    )
    path = Path("flow.safetensors")
    ModelShelf().protoflow(ModelEntry("flow", "flow", path, "protoflow", "file"), "cuda")
    assert asked == [(path, "cuda")]
