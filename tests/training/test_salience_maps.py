"""Where a model looks, computed once and kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_explorer.data.fitting import fit_images
from sip_explorer.models import Classifier, build_classifier
from sip_explorer.records import Cancelled, CancelToken, Event, Notice, Progress, SipError
from sip_explorer.salience import grad_cam, integrated_gradients, layer_named
from sip_explorer.training import TrainingData
from sip_explorer.training.salience_maps import Maps, MapSource, model_hash, salience_maps

MakeData = Callable[..., TrainingData]
CPU = torch.device("cpu")


def network(seed: int = 1, side: int = 16, architecture: str = "tiny-cnn") -> Classifier:
    return build_classifier(
        architecture, classes=("a", "b", "c"), input_shape=(1, side, side), mean=[0.3], std=[0.3], seed=seed
    )


def drained(
    source: MapSource, data: TrainingData, folder: Path, token: CancelToken | None = None
) -> tuple[Maps, list[Event]]:
    events: list[Event] = []
    work = salience_maps(
        source, data.images, data.labels, folder=folder, device=CPU, token=token or CancelToken()
    )
    while True:
        try:
            event = next(work)
        except StopIteration as finished:
            return finished.value, events
        if event is not None:
            events.append(event)


def files(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in sorted(folder.rglob("*.h5"))}


@pytest.mark.parametrize("method", ["grad-cam", "integrated-gradients"])
def test_maps_are_those_of_the_method_and_are_read_the_next_time(
    method: str, tmp_path: Path, make_data: MakeData
) -> None:
    data, model = make_data(5), network()
    source = MapSource.of(model, method)
    maps, events = drained(source, data, tmp_path)
    images, targets = fit_images(data.images, model.input_shape), torch.from_numpy(data.labels)
    straight = grad_cam if method == "grad-cam" else integrated_gradients
    expected = straight(model, images, targets)[:, 0] * 255
    assert np.abs(maps - expected.numpy()).max() <= 1
    assert maps.any()
    assert isinstance(events[-1], Progress)
    assert (events[-1].done, events[-1].total) == (5, 5)
    before = files(tmp_path)
    assert len(before) == 1
    assert next(iter(before)).startswith(f"{method}-{model_hash(model)}-")
    again, events = drained(MapSource.of(network(), method), data, tmp_path)
    assert np.array_equal(again, maps)
    assert events == []
    assert files(tmp_path) == before


def test_another_model_layer_class_or_image_has_maps_of_its_own(tmp_path: Path, make_data: MakeData) -> None:
    data = make_data(6)
    maps, _ = drained(MapSource.of(network(1), "grad-cam"), data, tmp_path)
    first = files(tmp_path)
    other, _ = drained(MapSource.of(network(2), "grad-cam"), data, tmp_path)
    assert not np.array_equal(other, maps)
    earlier = MapSource.of(network(1), "grad-cam", "features.0")
    finer, _ = drained(earlier, data, tmp_path)
    assert not np.array_equal(finer, maps)
    assert len({name.split("/")[0] for name in files(tmp_path)}) == 3
    # more images, one of them known: what is there is read, only the rest is computed
    more = make_data(9)
    longer, events = drained(MapSource.of(network(1), "grad-cam"), more, tmp_path)
    assert np.array_equal(longer[:6], maps)
    assert [event.total for event in events if isinstance(event, Progress)] == [3]
    assert first.items() <= files(tmp_path).items()
    turned = TrainingData(data.images, (data.labels + 1) % 3, data.ids, data.classes)
    assert not np.array_equal(drained(MapSource.of(network(1), "grad-cam"), turned, tmp_path)[0], maps)


def test_a_run_that_was_cut_off_goes_on_from_the_maps_on_disk(
    tmp_path: Path, make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sip_explorer.training.salience_maps._PER_FILE", 8)
    monkeypatch.setattr("sip_explorer.training.salience_maps._MOST_AT_ONCE", 4)
    data, source, token = make_data(21), MapSource.of(network(), "grad-cam"), CancelToken()
    work = salience_maps(source, data.images, data.labels, folder=tmp_path / "cut", device=CPU, token=token)
    for event in work:
        if isinstance(event, Progress) and event.done >= 12:
            token.cancel()
            break
    with pytest.raises(Cancelled):
        next(work)
    assert len(files(tmp_path / "cut")) == 1
    maps, events = drained(source, data, tmp_path / "cut")
    assert next(event.total for event in events if isinstance(event, Progress)) == 13
    assert np.array_equal(maps, drained(source, data, tmp_path / "whole")[0])


def test_damaged_and_foreign_files_are_passed_over(tmp_path: Path, make_data: MakeData) -> None:
    data, source = make_data(4), MapSource.of(network(), "grad-cam")
    maps, _ = drained(source, data, tmp_path)
    (path,) = tmp_path.rglob("*.h5")
    path.write_bytes(path.read_bytes()[:700])
    (path.parent / "notes.h5").write_text("not HDF5")
    again, events = drained(source, data, tmp_path)
    assert np.array_equal(again, maps)
    assert events
    assert drained(source, data, tmp_path)[1] == []


def test_a_folder_that_cannot_be_written_to_costs_the_maps_nothing(
    tmp_path: Path, make_data: MakeData
) -> None:
    (tmp_path / "taken").write_text("a file")
    maps, events = drained(MapSource.of(network(), "grad-cam"), make_data(4), tmp_path / "taken")
    assert maps.any()
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert "cannot be kept in" in notice.message


def test_the_same_image_twice_has_one_map(tmp_path: Path, make_data: MakeData) -> None:
    data = make_data(3)
    rows = np.array([0, 1, 0, 2])
    twice = TrainingData(data.images[rows], data.labels[rows], np.arange(4), data.classes)
    source = MapSource.of(network(), "grad-cam")
    maps, _ = drained(source, twice, tmp_path)
    assert np.array_equal(maps[0], maps[2])
    assert np.abs(maps.astype(int) - drained(source, data, tmp_path / "other")[0][rows]).max() <= 1


def test_the_hash_follows_every_weight_and_the_layer_has_a_name() -> None:
    model, same = network(), network()
    assert model_hash(model) == model_hash(same)
    with torch.no_grad():
        same.std += 1e-4
    assert model_hash(model) != model_hash(same)
    source = MapSource.of(model, "grad-cam")
    assert source.title == f"grad-cam: tiny-cnn ({model_hash(model)}, {source.layer})"
    assert layer_named(model, source.layer) is not None
    model.origin["name"] = "toy"
    assert MapSource.of(model, "integrated-gradients").title == f"integrated-gradients: toy ({source.hash})"
    with pytest.raises(SipError, match="no layer named 'layer9'"):
        MapSource.of(model, "grad-cam", "layer9")


def test_a_model_without_a_layer_that_says_where_is_refused() -> None:
    with pytest.raises(SipError, match="no layer of at least 4 x 4 positions at 4 x 4 pixels"):
        MapSource.of(network(side=4, architecture="small-cnn"), "grad-cam")
