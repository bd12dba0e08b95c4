"""The report on agreement: every figure by hand, what is left out, tables."""

import csv
import math

import numpy as np
import pytest
from toy_workspaces import paint

from sip_explorer.records import Artefact, Cancelled, CancelToken, Finished, SipError, Started
from sip_explorer.salience.agreement import (
    blurred_spearman,
    human_alignment,
    krippendorff_alpha,
    model_alignment,
)
from sip_explorer.workspace.agreement import measure_agreement

SIDE = 16


def box(y0, x0, y1, x1):
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[y0:y1, x0:x1] = 255
    return mask


ADA0, BO0, CY0 = box(0, 0, 8, 8), box(0, 4, 8, 12), box(8, 8, 16, 16)
ADA1, BO1 = box(2, 2, 10, 10), box(2, 2, 10, 10)


@pytest.fixture
def painted(workspace):
    """Ada, Bo and Cy: image 0 by all, 1 by two alike, 2 by Ada alone, 3 empty to one, 4 empty to two."""
    for name in ("Bo", "Cy"):
        workspace.add_annotator(name)
    for image, name, mask in (
        (0, "Ada", ADA0),
        (0, "Bo", BO0),
        (0, "Cy", CY0),
        (1, "Ada", ADA1),
        (1, "Bo", BO1),
        (2, "Ada", ADA0),
        (3, "Ada", ADA0),
    ):
        y, x = np.nonzero(mask)
        bounds = int(y.min()), int(x.min()), int(y.max()) + 1, int(x.max()) + 1
        stroke = paint(np.zeros((SIDE, SIDE), np.uint8), bounds, 255)
        workspace.commit_stroke(image, name, stroke, "brush").result()
    for image, name, state in (
        (3, "Bo", "empty"),
        (4, "Ada", "empty"),
        (4, "Cy", "empty"),
        (2, "Cy", "skipped"),
    ):
        workspace.set_state(image, name, state).result()
    return workspace


def measured(workspace, ids=range(12), people=None, **options):
    people = [person.id for person in workspace.annotators()] if people is None else people
    events = list(measure_agreement(workspace, ids, people, CancelToken(), **options))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert isinstance(events[-2], Artefact)
    return events[-2].data, events[-1]


def test_every_figure_of_three_people(painted):
    report, finished = measured(painted)
    assert finished.outcome == "completed"
    assert finished.summary == {"images": 4, "people": 3}

    first, second, third, fourth = report.images
    assert [entry.image for entry in report.images] == [0, 1, 3, 4]
    assert [entry.people for entry in report.images] == [3, 2, 2, 2]
    assert [entry.label for entry in report.images] == [0, 1, 0, 1]
    assert first.iou == pytest.approx((32 / 96 + 0 + 0) / 3)
    assert first.dice == pytest.approx((64 / 128 + 0 + 0) / 3)
    assert first.dispute == pytest.approx(1 - first.iou)
    assert first.spearman == pytest.approx(human_alignment([ADA0, BO0, CY0]))
    assert (second.iou, second.dice, second.dispute) == (1, 1, 0)
    assert second.spearman == pytest.approx(1)
    assert (third.iou, third.dice, third.dispute, third.spearman) == (0, 0, 1, 0)  # one empty, one painted
    assert (fourth.iou, fourth.dice, fourth.dispute) == (1, 1, 0)  # both empty
    assert math.isnan(fourth.spearman)
    assert report.disputes == {entry.image: entry.dispute for entry in report.images}

    assert (report.people, report.shared, report.ranked) == (3, 4, 3)
    assert report.human == pytest.approx((first.spearman + 1 + 0) / 3)
    assert report.iou == pytest.approx((first.iou + 1 + 0 + 1) / 4)
    nobody = np.full(SIDE * SIDE, np.nan)
    empty = np.zeros((SIDE, SIDE))
    rows = [(ADA0, ADA1, ADA0, empty), (BO0, BO1, empty, None), (CY0, None, None, empty)]
    ratings = np.vstack(
        [np.hstack([nobody if mask is None else (mask > 127).ravel() for mask in row]) for row in rows]
    )
    assert report.alpha == pytest.approx(krippendorff_alpha(ratings))
    assert report.pixels == 4 * SIDE * SIDE
    assert math.isnan(report.model)
    assert report.compared == report.modelled == 0


def test_figures_of_people_pairs_and_classes(painted):
    report, _ = measured(painted)
    assert [(pair.first, pair.second, pair.images, pair.ranked) for pair in report.pairs] == [
        ("Ada", "Bo", 3, 3),
        ("Ada", "Cy", 2, 1),
        ("Bo", "Cy", 1, 1),
    ]
    ada_bo, ada_cy, _ = report.pairs
    assert ada_bo.iou == pytest.approx((32 / 96 + 1 + 0) / 3)
    assert ada_bo.spearman == pytest.approx((blurred_spearman(ADA0, BO0) + 1 + 0) / 3)
    assert ada_cy.dice == pytest.approx((0 + 1) / 2)
    assert ada_cy.spearman == pytest.approx(blurred_spearman(ADA0, CY0))
    ada, bo, cy = report.annotators
    assert [(row.name, row.images, row.ranked) for row in (ada, bo, cy)] == [
        ("Ada", 4, 3),
        ("Bo", 3, 3),
        ("Cy", 2, 1),
    ]
    assert ada.iou == pytest.approx(((32 / 96 + 0) / 2 + 1 + 0 + 1) / 4)
    assert cy.iou == pytest.approx((0 + 1) / 2)
    ball, cube = report.classes
    assert [(row.name, row.images, row.people, row.ranked) for row in (ball, cube)] == [
        ("ball", 2, 3, 2),
        ("cube", 2, 3, 1),
    ]
    assert ball.iou == pytest.approx((32 / 96 / 3 + 0) / 2)
    assert cube.dice == 1


def test_a_model_is_measured_against_people(painted):
    model = np.linspace(0, 255, 64).reshape(8, 8).astype(np.uint8)
    maps = {0: model, 1: 255 - model, 2: model, 4: np.zeros((8, 8), np.uint8), 11: model}
    report, _ = measured(painted, model_maps=maps, model_name="toy")
    by_image = {entry.image: entry for entry in report.images}
    assert list(by_image) == [0, 1, 2, 3, 4]  # 2 was painted by Ada alone; 11 by nobody
    assert by_image[2].people == 1
    assert math.isnan(by_image[2].iou)
    assert math.isnan(by_image[3].model)  # no map
    assert math.isnan(by_image[4].model)  # all empty, and so is the map
    assert set(report.disputes) == {0, 1, 3, 4}
    alone = [entry.model for entry in (by_image[0], by_image[1], by_image[2])]
    assert report.model_spearman == pytest.approx(np.mean(alone))
    assert (report.modelled, report.compared) == (3, 2)
    assert (report.modelled_people, report.compared_people) == (3, 3)
    human = (by_image[0].spearman + by_image[1].spearman) / 2
    assert report.model == pytest.approx((alone[0] + alone[1]) / 2 / human)
    only, _ = measured(painted, [0], ["Ada", "Bo"], model_maps=maps)
    assert only.model == pytest.approx(model_alignment(model, [ADA0, BO0]))
    apart, _ = measured(painted, [0], model_maps=maps)  # Cy contradicts both: no yardstick
    assert apart.human < 0
    assert math.isnan(apart.model)
    ada = report.annotators[0]
    assert (ada.images, ada.modelled) == (4, 3)


def test_sentences_say_what_each_figure_is_of(painted):
    report, _ = measured(painted)
    assert report.sentences() == [
        "IoU 0.53, Dice 0.54 (mean over pairs of people; 3 people, 4 images)",
        "Krippendorff's alpha 0.30 (protected or not; 3 people, 4 images, 1,024 pixels)",
        "human–human alignment 0.30 (Spearman of blurred masks, mean over pairs; 3 people, 3 images; "
        "1 without contrast left out)",
    ]
    maps = {0: np.arange(256).reshape(16, 16).astype(np.uint8)}
    modelled, _ = measured(painted, [0], model_maps=maps, model_name="toy")
    assert modelled.sentences()[3].startswith("Spearman of toy and people ")
    assert modelled.sentences()[4] == (
        "human–model alignment of toy is not known: people agree no better than by chance on these images."
    )
    pair, _ = measured(painted, [0], ["Ada", "Bo"], model_maps=maps, model_name="toy")
    assert pair.sentences()[4].startswith("human–model alignment of toy ")
    assert pair.sentences()[4].endswith(" (as a share of human–human alignment; 2 people, 1 image)")
    alone, _ = measured(painted, [0], ["Ada"], model_maps=maps, model_name="toy")
    assert alone.sentences()[0].endswith("(1 person, 1 image)")
    assert alone.sentences()[1] == "human–model alignment of toy needs images that two people painted."


def test_a_chosen_few(painted):
    report, _ = measured(painted, [4, 1, 1, 0, 2], ["Bo", "Ada", "Ada"])
    assert [entry.image for entry in report.images] == [1, 0]  # as asked, each once
    assert [(pair.first, pair.second) for pair in report.pairs] == [("Bo", "Ada")]
    assert report.people == 2


def test_each_figure_counts_its_own_people(painted):
    """Images 1 and 4 are of three people, but Cy left only image 4 empty, which has no order."""
    report, _ = measured(painted, [1, 4])
    assert (report.people, report.ranked_people, report.shared, report.ranked) == (3, 2, 2, 1)
    assert "1.00 (Spearman of blurred masks, mean over pairs; 2 people, 1 image; 1 " in report.sentences()[2]


def test_sigma_is_in_pixels(painted):
    report, _ = measured(painted, [0], sigma=0.5)
    assert report.human == pytest.approx(human_alignment([ADA0, BO0, CY0], 0.5))
    assert report.human != pytest.approx(human_alignment([ADA0, BO0, CY0]))


@pytest.mark.parametrize("sigma", [-1.0, math.nan, math.inf])
def test_a_blur_without_bounds_is_refused(workspace, sigma):
    with pytest.raises(SipError, match=r"sigma is .* give a number from 0 to 4,096"):
        measured(workspace, sigma=sigma)


def test_nobody_shares_an_image(workspace):
    report, finished = measured(workspace)
    assert finished.summary == {"images": 0, "people": 0}
    assert report.images == report.pairs == report.classes == report.annotators == report.sentences() == []
    assert math.isnan(report.alpha)


def test_who_is_not_there_is_said(workspace):
    with pytest.raises(SipError, match=r"no annotator Eve in the workspace Toys; it has: Ada\."):
        measured(workspace, people=["Ada", "Eve"])


def test_a_stop_keeps_what_was_measured_and_a_cancel_nothing(painted):
    token = CancelToken()
    job = measure_agreement(painted, range(12), ["Ada", "Bo"], token)
    next(job)
    token.stop()
    *_, artefact, finished = job
    assert finished.outcome == "stopped"
    assert artefact.data.images == []
    token = CancelToken()
    job = measure_agreement(painted, range(12), ["Ada", "Bo"], token)
    next(job)
    token.cancel()
    with pytest.raises(Cancelled):
        list(job)


def test_tables(painted, tmp_path):
    report, _ = measured(painted)
    paths = report.to_csv(tmp_path / "new")
    assert [path.name for path in paths] == [
        "agreement.csv",
        "agreement-images.csv",
        "agreement-classes.csv",
        "agreement-people.csv",
        "agreement-pairs.csv",
    ]
    whole, images, classes, people, pairs = (
        list(csv.DictReader(path.open(encoding="utf-8"))) for path in paths
    )
    assert whole[0]["images"] == "4"
    assert float(whole[0]["alpha"]) == pytest.approx(report.alpha, rel=1e-5)
    assert whole[0]["human_alignment"] == f"{report.human:.6g}"
    assert whole[0]["model_alignment"] == whole[0]["model_spearman"] == images[0]["model_spearman"] == ""
    assert [row["image"] for row in images] == ["0", "1", "3", "4"]
    assert images[3]["spearman"] == ""
    assert float(images[0]["dispute"]) == pytest.approx(report.images[0].dispute, rel=1e-5)
    assert [row["name"] for row in classes] == ["ball", "cube"]
    assert [row["images"] for row in people] == ["4", "3", "2"]
    assert [(row["first"], row["second"]) for row in pairs] == [("Ada", "Bo"), ("Ada", "Cy"), ("Bo", "Cy")]
    (tmp_path / "file").write_text("")
    with pytest.raises(SipError, match="cannot be written"):
        report.to_csv(tmp_path / "file")
