"""The loop itself: what may move, what equals what, and how a run ends."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sip_explorer.models import build_classifier, load_checkpoint, save_checkpoint
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Metric, Notice, SipError
from sip_explorer.records.run_salience import read_salience
from sip_explorer.records.runs import RunFolder, curves
from sip_explorer.training import Recipe, TrainingData, train
from sip_explorer.training.run import TrainingRun
from sip_explorer.training.step import StepResult

MakeData = Callable[..., TrainingData]
SIDE = 16


def run(recipe: Recipe, folder: Path, data: TrainingData, **options: Any) -> list[Event]:
    return [event for event in train(recipe, folder, data, **options) if event is not None]


def weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path).state_dict()


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def batches(events: list[Event]) -> list[dict[str, np.ndarray]]:
    return [event.data for event in events if isinstance(event, Artefact) and event.kind == "batch"]


@pytest.mark.parametrize("flip", [False, True])
def test_sip_at_never_moves_a_salient_pixel(
    recipe: Recipe, tmp_path: Path, flip: bool, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    shown = batches(run(recipe.replace(flip=flip, precision="bfloat16"), tmp_path, data))
    assert len(shown) >= 4
    row_of = {int(one): row for row, one in enumerate(data.ids)}
    mirrored = 0
    for batch in shown:
        change = np.abs(batch["adversarial"] - batch["images"])
        protected = batch["salience"] >= 0.5
        assert protected.any(axis=(1, 2, 3)).all()
        assert change[protected].max() == 0
        assert 0.09 < change[~protected].max() <= 0.1 + 1e-6
        for one, image, salience in zip(batch["ids"], batch["images"], batch["salience"], strict=True):
            original = data.images[row_of[int(one)], ..., 0] / np.float32(255)
            mask = data.painted[int(one)] / np.float32(255)
            turned = not np.array_equal(image[0], original)
            mirrored += turned
            assert np.array_equal(image[0], original[:, ::-1] if turned else original)
            assert np.array_equal(salience[0], mask[:, ::-1] if turned else mask)
    assert (mirrored > 0) is flip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"precision": "bfloat16", "accumulate": 3, "flip": True, "crop_padding": 2, "rotation": 20.0},
        {"precision": "float16", "budget": "inverted", "ema": 0.5},
    ],
    ids=["plain", "bfloat16", "float16"],
)
def test_sip_at_without_any_salience_is_adversarial_training_bit_for_bit(
    recipe: Recipe, tmp_path: Path, make_data: MakeData, changes: dict[str, Any]
) -> None:
    sip_at = recipe.replace(**changes)
    others = sip_at.replace(method="adversarial", budget="hard")
    run(sip_at, tmp_path / "sip", make_data(painted="empty"))
    run(others, tmp_path / "at", make_data())
    run(others.replace(method="clean"), tmp_path / "clean", make_data())
    sip, at, clean = (weights(tmp_path / name / "best.safetensors") for name in ("sip", "at", "clean"))
    assert same(sip, at)
    assert not same(sip, clean)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_no_salient_pixel_moves_at_the_edge_of_a_turned_mask(
    recipe: Recipe, tmp_path: Path, make_data: MakeData, precision: str
) -> None:
    recipe = recipe.replace(
        precision=precision, crop_padding=2, rotation=30.0, zoom=0.2, jitter=0.2, accumulate=3, epochs=1
    )
    for batch in batches(run(recipe, tmp_path, make_data(painted="all"))):
        change = np.abs(batch["adversarial"] - batch["images"])
        protected = batch["salience"] >= 0.5
        assert protected.any()
        assert change[protected].max() == 0
        assert change[~protected].max() > 0.09


def test_one_painted_image_changes_only_its_own_budget(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    # The budget path itself (ones for all other images) must equal no budget at all.
    data = make_data(painted="empty")
    whole = np.full((SIDE, SIDE), 255, dtype=np.uint8)
    data = replace(data, painted={**data.painted, int(data.ids[0]): whole})
    recipe = recipe.replace(epochs=1, batch_size=64, random_start=True)
    [with_budget] = batches(run(recipe, tmp_path / "one", data))[:1]
    [without] = batches(run(recipe.replace(method="adversarial"), tmp_path / "none", data))[:1]
    assert np.array_equal(with_budget["ids"], without["ids"])
    others = with_budget["ids"] != data.ids[0]
    assert np.array_equal(with_budget["adversarial"][others], without["adversarial"][others])


def test_resume_is_bit_for_bit_the_uninterrupted_run(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    recipe = recipe.replace(epochs=3)
    whole = run(recipe, tmp_path / "whole", data)
    # Broken off in the second epoch without a word, as by kill -9, then resumed in a new call.
    work = train(recipe, tmp_path / "broken", data)
    for event in work:
        if isinstance(event, Metric) and event.epoch > 1.3:
            break
    work.close()
    assert RunFolder(tmp_path / "broken").summary().outcome == "unfinished"
    rest = run(recipe, tmp_path / "broken", data, resume=True)
    first = torch.load(tmp_path / "whole" / "last.pt", weights_only=True)
    second = torch.load(tmp_path / "broken" / "last.pt", weights_only=True)
    assert same(first["model"], second["model"])
    for one, other in zip(
        first["optimizer"]["state"].values(), second["optimizer"]["state"].values(), strict=True
    ):
        assert torch.equal(one["momentum_buffer"], other["momentum_buffer"])
    assert same(weights(tmp_path / "whole/best.safetensors"), weights(tmp_path / "broken/best.safetensors"))
    assert any(isinstance(event, Notice) and "Resumed after 1 epochs" in event.message for event in rest)
    lines = [curves(RunFolder(tmp_path / name).events()[0]) for name in ("whole", "broken")]
    for name in ("train/loss", "validation/clean", "validation/pgd"):
        assert lines[0][name].steps == lines[1][name].steps
        assert lines[0][name].values == lines[1][name].values
    assert isinstance(whole[-1], Finished)


def test_stop_keeps_the_result_and_can_be_resumed_within_the_epoch(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    run(recipe, tmp_path / "whole", data)
    token = CancelToken()
    last = None
    for event in train(recipe, tmp_path / "stopped", data, token=token):
        if isinstance(event, Metric) and event.step == 1:
            token.stop()
        last = event or last
    folder = RunFolder(tmp_path / "stopped")
    assert isinstance(last, Finished)
    assert last.outcome == folder.summary().outcome == "stopped"
    assert 0 < last.summary["epochs"] < 1
    assert folder.checkpoint is not None
    run(recipe, tmp_path / "stopped", data, resume=True)
    states = [torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "stopped")]
    assert same(states[0]["model"], states[1]["model"])


def test_cancel_leaves_what_is_on_disk_but_no_checkpoint(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    token = CancelToken()
    last = None
    for event in train(recipe, tmp_path, make_data(painted="all"), token=token):
        if isinstance(event, Artefact) and event.kind == "checkpoint":
            token.cancel()
        last = event or last
    folder = RunFolder(tmp_path)
    assert last == Finished("cancelled")
    assert folder.summary().outcome == "cancelled"
    assert folder.best_path.exists()
    assert folder.checkpoint is None


def test_a_runner_that_closes_a_cancelled_run_leaves_the_same(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    token = CancelToken()
    work = train(recipe, tmp_path, make_data(painted="all"), token=token)
    next(work)
    token.cancel()
    work.close()
    assert RunFolder(tmp_path).summary().outcome == "cancelled"


def test_a_loss_that_is_no_number_stops_with_a_sentence_and_keeps_the_good_state(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    # Epoch 1 trains as usual; then one weight of the state on disk is spoilt, as by an overflow.
    work = train(recipe, tmp_path, data)
    for event in work:
        if isinstance(event, Metric) and event.name == "time/epoch":
            next(work)
            break
    work.close()
    good = (tmp_path / "best.safetensors").read_bytes()
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    state["model"]["network.classifier.3.weight"][0, 0] = torch.inf
    torch.save(state, tmp_path / "last.pt")
    spoilt = (tmp_path / "last.pt").read_bytes()
    with pytest.raises(
        SipError, match=r"epoch 2 at step \d+ because .* is no number any more .* learning_rate"
    ):
        run(recipe, tmp_path, data, resume=True)
    folder = RunFolder(tmp_path)
    assert folder.summary().outcome == "failed"
    assert "no number any more" in folder.summary().message
    assert folder.last_path.read_bytes() == spoilt  # nothing was written over it
    assert folder.best_path.read_bytes() == good
    assert folder.checkpoint is not None


def test_answers_that_are_no_numbers_stop_with_where_and_what_is_kept(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    recipe = recipe.replace(method="adversarial", learning_rate=99.0, schedule="constant", epochs=9)
    with pytest.raises(SipError, match=r"Training stopped in epoch \d at step \d+ .*(is kept|finished)"):
        run(recipe, tmp_path, make_data())


def test_without_held_out_images_the_latest_checkpoint_stands(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    recipe = recipe.replace(method="clean", best="robust", patience=1)
    last = run(recipe, tmp_path, make_data(3))[-1]  # one image a class
    assert isinstance(last, Finished)
    assert last.summary["best_epoch"] == 2


@pytest.mark.parametrize(("batch_size", "accumulate"), [(14, 6), (1, 1)])
def test_batch_statistics_of_single_images(
    recipe: Recipe, tmp_path: Path, make_data: MakeData, batch_size: int, accumulate: int
) -> None:
    data = make_data(14)
    data = replace(data, images=np.repeat(data.images, 3, axis=3))
    recipe = recipe.replace(
        method="clean", architecture="resnet18", epochs=1, validation_images=0,
        batch_size=batch_size, accumulate=accumulate,
    )  # fmt: skip
    if batch_size == 1:
        with pytest.raises(SipError, match="batch statistics need two images"):
            run(recipe, tmp_path, data)
    else:  # 11 images in parts of two: the last one goes with those before it
        assert isinstance(run(recipe, tmp_path, data)[-1], Finished)


def test_training_learns_and_says_so(recipe: Recipe, tmp_path: Path, make_data: MakeData) -> None:
    recipe = recipe.replace(method="adversarial", epochs=12, steps=2, epsilon_warmup=3, learning_rate=0.1)
    events = run(recipe, tmp_path, make_data())
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.summary["best_clean"] == 1.0
    assert finished.summary["best_pgd"] >= 0.8
    model = load_checkpoint(tmp_path / "best.safetensors")
    assert model.origin["method"] == "adversarial"
    assert model.origin["recipe"] == recipe.hash
    assert model.origin["data"] == "squares"
    assert model.origin["validation_clean"].startswith("1.0000 of 12 images")


def test_grad_cam_fills_in_where_nobody_painted(recipe: Recipe, tmp_path: Path, make_data: MakeData) -> None:
    data = make_data(painted="all")
    data = replace(data, painted={one: data.painted[one] for one in list(data.painted)[:30]})
    reference = build_classifier(
        "small-cnn", classes=data.classes, input_shape=(1, SIDE, SIDE), mean=[0.3], std=[0.3], seed=1
    )
    recipe = recipe.replace(salience="painted-else-grad-cam", epochs=1)
    with pytest.raises(SipError, match="no reference model is chosen"):
        run(recipe, tmp_path / "without", data)
    events = run(recipe, tmp_path / "with", data, reference=reference)
    stored = read_salience(tmp_path / "with" / "salience.h5")
    kinds = [source.split(":")[0] for source in stored.sources]
    painted, mapped = kinds.count("painted"), kinds.count("grad-cam")
    assert 0 < painted < 30  # some of the thirty are held out
    assert mapped > 0
    sentence = f"48 training images: {painted} painted, {mapped} Grad-CAM, {48 - painted - mapped} without."
    assert any(isinstance(event, Notice) and sentence in event.message for event in events)
    for one, source, revision, mask in zip(
        stored.ids, stored.sources, stored.revisions, stored.masks, strict=True
    ):
        if source == "painted: Ada":
            assert revision == 4
            assert np.array_equal(mask, data.painted[int(one)])
        else:
            assert int(one) not in data.painted
            assert mask.max() > 0


def test_grad_cam_of_a_reference_of_another_size_and_class_order(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data()
    recipe = recipe.replace(salience="grad-cam", epochs=1)
    reference = build_classifier(
        "small-cnn", classes=data.classes, input_shape=(1, SIDE, SIDE), mean=[0.3], std=[0.3], seed=1
    )
    # The same network with its outputs, and so its classes, in another order finds the same salience.
    turned = build_classifier(
        "small-cnn", classes=data.classes[::-1], input_shape=(1, SIDE, SIDE), mean=[0.3], std=[0.3], seed=1
    )
    head = turned.network.classifier[-1]
    head.weight.data, head.bias.data = head.weight.data.flip(0), head.bias.data.flip(0)
    maps = []
    for name, model in (("straight", reference), ("turned", turned)):
        run(recipe, tmp_path / name, data, reference=model)
        maps.append(read_salience(tmp_path / name / "salience.h5").masks)
    assert len(maps[0]) > 10
    assert np.abs(maps[0].astype(int) - maps[1]).max() <= 1
    larger = build_classifier(
        "small-cnn", classes=data.classes, input_shape=(1, 24, 24), mean=[0.3], std=[0.3], seed=1
    )
    run(recipe, tmp_path / "larger", data, reference=larger)
    assert read_salience(tmp_path / "larger" / "salience.h5").masks.shape[1:] == (SIDE, SIDE)


def test_a_checkpoint_to_start_from_takes_the_names_of_the_new_classes(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data()
    start = build_classifier(
        "small-cnn", classes=data.classes[::-1], input_shape=(1, SIDE, SIDE), mean=[0.3], std=[0.3], seed=1
    )
    save_checkpoint(tmp_path / "start.safetensors", start)
    recipe = recipe.replace(method="clean", epochs=8, start=str(tmp_path / "start.safetensors"))
    run(recipe, tmp_path / "run", data)
    assert load_checkpoint(tmp_path / "run" / "best.safetensors").classes == data.classes


def test_no_batch_stays_in_memory_for_the_sake_of_the_log(
    recipe: Recipe, tmp_path: Path, make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    log = TrainingRun._log

    def watched(self: TrainingRun, results: list[StepResult], *others: float) -> Iterator[Event | None]:
        held.extend(result.images.untyped_storage().nbytes() for result in results)
        return log(self, results, *others)

    monkeypatch.setattr(TrainingRun, "_log", watched)
    run(recipe.replace(method="clean", epochs=1), tmp_path, make_data())
    assert held
    assert set(held) == {0}


def test_a_folder_that_holds_a_run_is_not_overwritten(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    run(recipe.replace(epochs=1), tmp_path, data)
    before = (tmp_path / "best.safetensors").read_bytes()
    with pytest.raises(SipError, match="already holds a run"):
        run(recipe, tmp_path, data)
    with pytest.raises(SipError, match=r"another recipe \(different: epochs\)"):
        run(recipe, tmp_path, data, resume=True)
    other = replace(data, labels=(data.labels + 1) % 3)
    with pytest.raises(SipError, match="another data"):
        run(recipe.replace(epochs=1), tmp_path, other, resume=True)
    assert (tmp_path / "best.safetensors").read_bytes() == before


def test_data_that_do_not_fit_are_refused(make_data: MakeData) -> None:
    data = make_data(painted="all")
    labels = data.labels.copy()
    labels[4] = 3
    with pytest.raises(SipError, match=f"Image {data.ids[4]} has label 3, but there are 3 classes"):
        replace(data, labels=labels)
    with pytest.raises(SipError, match=r"The salience of image 3 is 5 x 4 px but the image is 16 x 16 px"):
        replace(data, painted={3: np.zeros((4, 5), dtype=np.uint8)})
    with pytest.raises(SipError, match="No images are selected"):
        replace(data, images=data.images[:0], labels=data.labels[:0], ids=data.ids[:0])


def test_a_limit_draws_evenly_over_the_classes(make_data: MakeData) -> None:
    part = make_data(60).limited(12, seed=1)
    assert np.bincount(part.labels).tolist() == [4, 4, 4]
    assert len(make_data(60).limited(0, seed=1).ids) == 60
