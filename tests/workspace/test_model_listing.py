"""Which models a workspace offers, read from files that nobody executes."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from sip_explorer.records import EventLog, Failed, Finished, Metric, SipError
from sip_explorer.workspace import Workspace
from sip_explorer.workspace.manifest import Manifest, Reference, write_manifest


def write_model(path: Path, **metadata: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"fc.weight": np.zeros((3, 4), np.float32)}, path, {"sip_explorer": json.dumps(metadata)})
    return path


def add_run(workspace: Workspace, name: str, *endings: object, kind: str = "classifier") -> Path:
    run = workspace.new_run_folder(name)
    write_model(run / "best.safetensors", kind=kind)
    with EventLog(run / "events.jsonl") as log:
        for step in range(2000):  # longer than what is read of it
            log.append(Metric("train/loss", 0.5, step))
        for ending in endings:
            log.append(ending)  # type: ignore[arg-type]
    return run


def test_models_are_files_and_finished_runs(workspace: Workspace) -> None:
    assert workspace.models() == []
    write_model(
        workspace.path / "models" / "standard.safetensors", kind="classifier", architecture="small-cnn"
    )
    write_model(workspace.path / "models" / "flow.safetensors", kind="protoflow")
    (workspace.path / "models" / "damaged.safetensors").write_bytes(b"\xff" * 40)
    (workspace.path / "models" / "standard.pt").write_bytes(b"PK")
    (workspace.path / "models" / "notes.txt").write_text("no model")
    completed = add_run(workspace, "sip-at", Finished("completed"))
    stopped = add_run(workspace, "kept early", Finished("stopped"), kind="protoflow")
    add_run(workspace, "thrown away", Finished("cancelled"))
    add_run(workspace, "broken", Failed("no memory"))
    add_run(workspace, "running")
    add_run(workspace, "resumed and thrown away", Finished("completed"), Finished("cancelled"))
    (workspace.new_run_folder("no checkpoint yet") / "events.jsonl").write_text("")

    entries = {entry.id: entry for entry in workspace.models()}
    assert {identity: entry.kind for identity, entry in entries.items()} == {
        "models/damaged.safetensors": "classifier",
        "models/flow.safetensors": "protoflow",
        "models/standard.pt": "classifier",
        "models/standard.safetensors": "classifier",
        f"runs/{completed.name}": "classifier",
        f"runs/{stopped.name}": "protoflow",
    }
    assert entries["models/standard.safetensors"].metadata["architecture"] == "small-cnn"
    assert entries[f"runs/{stopped.name}"].path == stopped / "best.safetensors"
    assert entries[f"runs/{completed.name}"].name.startswith("sip-at (")
    assert entries["models/flow.safetensors"].name == "flow"
    assert len({entry.name for entry in entries.values()}) == len(entries)
    assert [entry.origin for entry in workspace.models()] == ["file"] * 4 + ["run"] * 2


def test_a_replaced_file_is_read_again(workspace: Workspace) -> None:
    path = write_model(
        workspace.path / "models" / "a.safetensors", kind="classifier", architecture="small-cnn"
    )
    assert workspace.models()[0].kind == "classifier"
    write_model(path, kind="protoflow", more="so that the size differs")
    assert workspace.models()[0].kind == "protoflow"


def test_models_of_packages_are_on_offer_where_they_are(workspace: Workspace) -> None:
    workspace.close()
    references = (
        Reference("robust", "pyautoattack", "examples/model_test.pt"),
        Reference("absent file", "pyautoattack", "examples/none.pt"),
        Reference("absent package", "no_such_package_anywhere", "model.pt"),
    )
    write_manifest(workspace.path, Manifest("Toys", "packed", references))
    with Workspace.open(workspace.path) as again:
        (entry,) = again.models()
        assert (entry.name, entry.kind, entry.origin) == ("robust", "classifier", "package")
        assert entry.path.is_file()
        absent = again.notices()
    assert [
        name in sentence for name, sentence in zip(["absent file", "absent package"], absent, strict=True)
    ]
    assert len(absent) == 2


def test_added_models_are_copied_under_a_name_of_their_own(workspace: Workspace, tmp_path: Path) -> None:
    source = write_model(tmp_path / "Größe 1.safetensors", kind="classifier", classes=["a", "b", "c"])
    added = workspace.add_model(source)
    assert added.path.parent == workspace.path / "models"
    assert added.path.read_bytes() == source.read_bytes()
    assert added.metadata["classes"] == ["a", "b", "c"]
    assert workspace.add_model(source) == added, "the same file twice is one model"
    other = write_model(tmp_path / "other.safetensors", kind="classifier")
    second = workspace.add_model(other, name="Größe 1")
    assert second.path != added.path
    assert added.path.read_bytes() == source.read_bytes()
    assert {entry.id for entry in workspace.models()} == {added.id, second.id}


def test_what_is_no_checkpoint_is_not_added(workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "picture.safetensors"
    source.write_bytes(b"no checkpoint")
    with pytest.raises(SipError, match=r"picture\.safetensors"):
        workspace.add_model(source)
    with pytest.raises(SipError, match="absent"):
        workspace.add_model(tmp_path / "absent.pt")
    assert workspace.models() == []
