"""What a workspace keeps of a model file: chosen, measured, checked; by the file's hash."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sip_explorer.models import Choice, build_classifier
from sip_explorer.records import Cancelled, CancelToken, SipError
from sip_explorer.state import ModelShelf
from sip_explorer.workspace import ModelEntry, Workspace
from sip_explorer.workspace.cards import Check, Measured

CHOICE = Choice(classes=("x", "y", "z"), normalisation=((0.25,), (0.5,)))


def foreign(path: Path, seed: int = 0) -> Path:
    """Write the bare state dict of a small network: it says neither normalisation nor classes."""
    model = build_classifier(
        "small-cnn", classes=("a", "b", "c"), input_shape=(1, 8, 8), mean=(0,), std=(1,), seed=seed
    )
    save_file(model.network.state_dict(), path)
    return path


def found(workspace: Workspace, entry: ModelEntry) -> ModelEntry:
    return next(each for each in workspace.models() if each.id == entry.id)


def test_a_choice_is_kept_by_the_hash_and_used_by_every_loading(workspace: Workspace, tmp_path: Path) -> None:
    source = foreign(tmp_path / "net.safetensors")
    entry = workspace.add_model(source, choice=CHOICE, reason="chosen by hand", licence="MIT")
    workspace.close()
    with Workspace.open(workspace.path) as again:
        (entry,) = again.models()
        card = entry.card
        assert card is not None
        assert card.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
        assert (card.choice, card.reason, card.licence) == (CHOICE, "chosen by hand", "MIT")
        assert card.source == str(source)
        assert entry.metadata["classes"] == ["x", "y", "z"]
        model = entry.load()
    assert model.classes == ("x", "y", "z")
    assert (model.mean.item(), model.std.item()) == (0.25, 0.5)


def test_a_file_whose_hash_is_not_known_is_listed_without_card_and_loaded_as_chosen(
    workspace: Workspace, tmp_path: Path
) -> None:
    entry = workspace.add_model(foreign(tmp_path / "net.safetensors"), choice=CHOICE)
    (workspace.path / "cards" / "index.json").unlink()
    workspace.close()
    with Workspace.open(workspace.path) as again:
        entry = found(again, entry)
        assert entry.card is None, "listing must read no model"
        assert entry.load().classes == ("x", "y", "z")
        assert found(again, entry).card is not None


def test_a_moved_workspace_knows_its_cards_at_once(workspace: Workspace, tmp_path: Path) -> None:
    entry = workspace.add_model(foreign(tmp_path / "net.safetensors"), choice=CHOICE)
    workspace.close()
    moved = Path(shutil.move(workspace.path, tmp_path / "moved"))
    with Workspace.open(moved) as again:
        card = found(again, entry).card
        assert card is not None
        assert card.choice == CHOICE


def test_listing_loads_no_torch(workspace: Workspace, tmp_path: Path) -> None:
    workspace.add_model(foreign(tmp_path / "net.safetensors"), choice=CHOICE)
    code = (
        "import sys; from sip_explorer.workspace import Workspace\n"
        "with Workspace.open(sys.argv[1], read_only=True) as w: print(w.models()[0].card.choice.classes)\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(workspace.path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "('x', 'y', 'z')"), done.stderr


def test_another_choice_is_loaded_anew_and_forgets_what_was_measured(
    workspace: Workspace, tmp_path: Path
) -> None:
    entry, shelf = workspace.add_model(foreign(tmp_path / "net.safetensors"), choice=CHOICE), ModelShelf()
    first = shelf.classifier(entry, "cpu")
    assert shelf.classifier(entry, "cpu") is first
    workspace.record_measured(entry, Measured("clean", 0.0, 87, 100, "100 test images", 5.0))
    workspace.record_checks(entry, [Check("deterministic", True, "Equal.")])
    card = workspace.set_card_texts(entry, notes="from a colleague")
    assert (len(card.measured), len(card.checks), card.notes) == (1, 1, "from a colleague")
    assert workspace.set_choice(entry, CHOICE, "again").measured == card.measured

    other = Choice(normalisation=((0.0,), (1.0,)))
    card = workspace.set_choice(entry, other, "the paper says so")
    assert (card.measured, card.checks, card.notes) == ((), (), "from a colleague")
    second = shelf.classifier(entry, "cpu")  # an entry that was listed before the change
    assert second is not first
    assert second.mean.item() == 0.0


def test_a_measurement_replaces_the_one_before_of_the_same_kind(workspace: Workspace, tmp_path: Path) -> None:
    entry = workspace.add_model(foreign(tmp_path / "net.safetensors"))
    for right, at in ((80, 1.0), (81, 2.0)):
        workspace.record_measured(entry, Measured("clean", 0.0, right, 100, "100 test images", at))
    card = workspace.record_measured(entry, Measured("PGD-20", 8 / 255, 40, 100, "100 test images", 3.0))
    assert [(each.what, each.right) for each in card.measured] == [("clean", 81), ("PGD-20", 40)]
    assert card.measured[0].words == "81.0 % (72.2 to 87.5 %, 81 of 100)"  # Wilson's interval


def test_the_same_file_added_again_keeps_or_changes_its_choice(workspace: Workspace, tmp_path: Path) -> None:
    source = foreign(tmp_path / "net.safetensors")
    first = workspace.add_model(source, choice=CHOICE)
    second = workspace.add_model(source, name="other name")
    assert second.path != first.path
    assert second.card is not None
    assert second.card.choice == CHOICE
    other = Choice(normalisation=((0.0,), (1.0,)))
    workspace.add_model(source, choice=other)
    assert [entry.card and entry.card.choice for entry in workspace.models()] == [other, other]


def test_a_damaged_card_is_said_once_and_counts_as_none(workspace: Workspace, tmp_path: Path) -> None:
    entry = workspace.add_model(foreign(tmp_path / "net.safetensors"), choice=CHOICE)
    assert entry.card is not None
    path = workspace.path / "cards" / f"{entry.card.sha256}.json"
    whole = path.read_text(encoding="utf-8")
    for broken in (whole[:100], "[]", whole.replace('"choice": {', '"choice": {"input_shape": [1], '), ""):
        path.write_text(broken, encoding="utf-8")
        assert found(workspace, entry).card is None
        assert entry.load().classes == ("class 0", "class 1", "class 2")
        (notice,) = workspace.notices()
        assert path.name in notice
    workspace.set_choice(entry, CHOICE, "chosen anew")
    assert workspace.notices() == []
    assert entry.load().classes == ("x", "y", "z")


def test_a_card_of_a_newer_format_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    entry = workspace.add_model(foreign(tmp_path / "net.safetensors"), choice=CHOICE)
    assert entry.card is not None
    path = workspace.path / "cards" / f"{entry.card.sha256}.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "format": 99}), encoding="utf-8")
    assert found(workspace, entry).card is None
    with pytest.raises(SipError, match="newer SIP Explorer"):
        entry.load()
    with pytest.raises(SipError, match="newer SIP Explorer"):
        workspace.set_choice(entry, CHOICE, "")
    assert json.loads(path.read_text(encoding="utf-8"))["format"] == 99, "it must not be written over"


def test_models_of_runs_have_cards_too(workspace: Workspace) -> None:
    from sip_explorer.models import save_checkpoint
    from sip_explorer.records import EventLog, Finished

    run = workspace.new_run_folder("trained")
    model = build_classifier(
        "small-cnn", classes=("a", "b", "c"), input_shape=(1, 8, 8), mean=(0,), std=(1,), seed=0
    )
    save_checkpoint(run / "best.safetensors", model)
    with EventLog(run / "events.jsonl") as log:
        log.append(Finished("completed"))
    (entry,) = workspace.models()
    assert entry.card is None
    workspace.set_card_texts(entry, licence="ours")
    card = found(workspace, entry).card
    assert card is not None
    assert card.licence == "ours"


def test_a_cancelled_addition_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    token = CancelToken()
    big = tmp_path / "big.safetensors"
    save_file({"weight": torch.zeros(6 << 20)}, big)  # several pieces
    adding = workspace.adding_model(big, token=token)
    first = next(adding)
    assert 0 < first.done < first.total
    token.cancel()
    with pytest.raises(Cancelled):
        next(adding)
    assert list((workspace.path / "models").iterdir()) == []
    assert workspace.models() == []
