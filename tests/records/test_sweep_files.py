import json

import h5py
import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.records.sweeps import (
    CellKey,
    CellResult,
    read_cell,
    read_manifest,
    read_sweep,
    write_cell,
    write_manifest,
)


def _cell(**changes) -> CellResult:
    values = dict(
        model="SIP-AT, seed 1/2",
        loss="log-odds",
        reduction="sum",
        precision="float32",
        epsilon=8 / 255,
        batch_size=16,
        images=3,
        success=2 / 3,
        clean_wrong=1 / 3,
        zero_gradient_fraction=0.25,
        success_per_image=np.array([True, False, True]),
        clean_correct=np.array([True, True, False]),
        loss_per_image=np.array([1, -2, 0.5], np.float32),
        zero_gradient_per_image=np.array([0, 0.5, 0.25], np.float32),
        indices=np.array([4, 7, 9]),
        preview_indices=np.array([7]),
        preview_images=np.full((1, 3, 2, 2), 0.5, np.float32),
        preview_logits=np.ones((1, 10), np.float32),
        attack="apgd-ce+t",
        step="adaptive",
        restarts=2,
        micro_batch=64,
        breakers=("apgd-ce", "apgd-t"),
        broken_by_per_image=np.array([1, -1, -1]),
    )
    return CellResult(**(values | changes))


def test_a_cell_is_read_as_it_was_written(tmp_path):
    cell = _cell()

    found = read_cell(write_cell(tmp_path, cell))

    for name, value in vars(cell).items():
        np.testing.assert_array_equal(getattr(found, name), value)
        assert type(getattr(found, name)) is type(value)
    assert found.robust_accuracy == pytest.approx(1 / 3)


def test_a_cell_without_previews_is_read_too(tmp_path):
    bare = CellResult(
        **{name: value for name, value in vars(_cell()).items() if not name.startswith(("preview", "broken"))}
    )

    found = read_cell(write_cell(tmp_path, bare))

    assert len(found.preview_images) == len(found.broken_by_per_image) == 0


def test_names_are_safe_and_tell_every_cell_apart():
    keys = [_cell(**changes).key for changes in (
        {}, {"model": "SIP-AT, seed 1_2"}, {"epsilon": 8 / 255 + 1e-9}, {"batch_size": 1}, {"loss": "ce"},
        {"reduction": "mean"}, {"precision": "float16"}, {"model": "x" * 300}, {"attack": "pgd"},
        {"step": "normalised:add:1e-10"}, {"step": "normalised:floor:1e-10"}, {"restarts": 3},
    )]  # fmt: skip

    assert len({key.name for key in keys}) == len(keys)
    for key in keys:
        assert set(key.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        assert len(key.name) < 120


def test_a_sweep_is_its_whole_cells_in_order(tmp_path):
    for size, epsilon in [(16, 0.1), (4, 0.1), (1, 0.2)]:
        write_cell(tmp_path, _cell(batch_size=size, epsilon=epsilon))
    (tmp_path / "cells" / ".torn.h5.x.tmp").write_bytes(b"half a cell")

    assert [(cell.epsilon, cell.batch_size) for cell in read_sweep(tmp_path)] == [
        (0.1, 4),
        (0.1, 16),
        (0.2, 1),
    ]
    assert read_sweep(tmp_path / "nothing") == []


def test_what_is_no_cell_is_named(tmp_path):
    path = write_cell(tmp_path, _cell())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SipError, match=r"cannot be read .* delete it and run the sweep again"):
        read_cell(path)
    write_cell(tmp_path, _cell())
    with h5py.File(path, "a") as file:
        file.attrs["breakers"] = "[cut short"
    with pytest.raises(SipError, match=r"cannot be read .* delete it and run the sweep again"):
        read_cell(path)
    with h5py.File(path, "w") as file:
        file.attrs["kind"] = "weights"
    with pytest.raises(SipError, match="is not a cell of a sweep"):
        read_cell(path)
    with h5py.File(path, "w") as file:
        file.attrs.update({"kind": "sweep-cell", "format": 99})
    with pytest.raises(SipError, match="newer version"):
        read_cell(path)


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    assert read_manifest(tmp_path) is None
    write_manifest(tmp_path, {"axes": {"epsilons": [0.1]}, "models": {"ä": "00"}})

    assert read_manifest(tmp_path)["models"] == {"ä": "00"}

    for wrong, sentence in (
        ('{"kind": "run", "format": 1}', "is not the manifest of a sweep"),
        ("[1, 2", "is not the manifest of a sweep"),
        (json.dumps({"kind": "sweep", "format": 99}), "newer version"),
    ):
        (tmp_path / "manifest.json").write_text(wrong)
        with pytest.raises(SipError, match=sentence):
            read_manifest(tmp_path)


def test_a_key_is_its_place():
    place = ("SIP-AT, seed 1/2", "log-odds", "sum", "float32", 8 / 255, 16)
    assert _cell().key == CellKey(*place, attack="apgd-ce+t", step="adaptive", restarts=2)
    plain = CellKey(*place)
    assert (plain.attack, plain.step, plain.restarts) == ("pgd", "sign", 1)


def _write_format_1(folder, cell, *, settings=None):
    """Write a cell, and a manifest if ``settings`` are given, as version 1 of the format did."""
    attributes = (
        "model", "loss", "reduction", "precision", "epsilon", "batch_size", "images", "success",
        "clean_wrong", "zero_gradient_fraction", "shared",
    )  # fmt: skip
    arrays = (
        "success_per_image", "clean_correct", "loss_per_image", "zero_gradient_per_image", "indices",
        "preview_indices", "preview_images", "preview_logits",
    )  # fmt: skip
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    path = folder / "cells" / "SIP-AT_seed_1_2-log-odds-sum-float32-e0.0314-n16-0123456789.h5"
    with h5py.File(path, "w") as file:
        file.attrs["format"] = 1
        file.attrs["kind"] = "sweep-cell"
        for name in attributes:
            file.attrs[name] = getattr(cell, name)
        for name in arrays:
            file.create_dataset(name, data=getattr(cell, name), compression="gzip")
    if settings is not None:
        manifest = {"format": 1, "kind": "sweep", "settings": settings, "axes": {"epsilons": [8 / 255]}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return path


SETTINGS_1 = {
    "steps": 10, "step_size": None, "norm": "l2", "step_rule": "normalised", "guard": ["add", 1e-10],
    "zero_gradient": "stay", "restarts": 3, "seed": 0, "micro_batch": 32, "execution": "vectorised",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"step": "normalised:add:1e-10", "restarts": 3, "micro_batch": 32}),
        ({"step_rule": "raw", "guard": None}, {"step": "raw", "restarts": 3, "micro_batch": 32}),
        # 16 was the mini-batch asked for and 3 the images there were.
        ({"execution": "literal"}, {"step": "normalised:add:1e-10", "restarts": 3, "micro_batch": 3}),
    ],
)
def test_a_folder_of_format_1_is_read_with_the_settings_of_its_manifest(tmp_path, changes, expected):
    _write_format_1(tmp_path, _cell(), settings=SETTINGS_1 | changes)

    (found,) = read_sweep(tmp_path)

    assert read_manifest(tmp_path)["format"] == 1
    unknown_then = {"attack": "pgd", "breakers": (), "broken_by_per_image": np.empty(0, np.int64)}
    for name, value in (vars(_cell()) | unknown_then | expected).items():
        np.testing.assert_array_equal(getattr(found, name), value, name)


def test_a_cell_of_format_1_without_its_manifest_is_a_plain_one(tmp_path):
    found = read_cell(_write_format_1(tmp_path, _cell()))

    assert (found.attack, found.step, found.restarts, found.micro_batch) == ("pgd", "sign", 1, 0)
    assert (found.breakers, found.broken_by_per_image.tolist()) == ((), [])
