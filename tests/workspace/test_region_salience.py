"""Where an evaluation's regions come from: painted masks, object masks, a run."""

import numpy as np
import pytest
from toy_workspaces import paint

from sip_explorer.records import SipError
from sip_explorer.records.run_salience import salience_writer
from sip_explorer.workspace.region_salience import region_salience

IDS = np.array([3, 7, 11])


def test_painted_masks_at_the_models_size(workspace):
    mask = np.zeros((16, 16), np.uint8)
    workspace.commit_stroke(7, "Ada", paint(mask, (0, 0, 8, 16), 255), "brush").result()
    workspace.set_state(11, "Ada", "empty").result()
    workspace.add_annotator("Bo")
    for source in ("", "painted", "painted:Ada"):
        found = region_salience(workspace, IDS, (8, 8), source)
        assert found.source == "painted:Ada"
        assert found.words == "masks painted by Ada (2 of 3 images)"
        assert found.masks.shape == (3, 8, 8)
        assert found.masks[1, :3].min() >= 128
        assert not found.masks[1, 5:].any()
        assert not found.masks[[0, 2]].any()


def test_the_first_who_painted_any_of_the_images(workspace):
    workspace.add_annotator("Bo")
    mask = np.zeros((16, 16), np.uint8)
    workspace.commit_stroke(7, "Bo", paint(mask, (0, 0, 8, 16), 255), "brush").result()
    assert region_salience(workspace, IDS, (16, 16)).source == "painted:Bo"


def test_people_come_before_the_masks_they_agreed_on(workspace):
    mask = np.full((16, 16), 0, np.uint8)
    workspace.commit_stroke(7, workspace.answers().id, paint(mask, (0, 0, 8, 16), 255), "brush")
    assert region_salience(workspace, IDS, (16, 16)).source == "painted:Known answers"
    workspace.commit_stroke(7, workspace.adjudicated().id, paint(mask, (0, 0, 9, 16), 255), "brush")
    assert region_salience(workspace, IDS, (16, 16)).source == "painted:Adjudicated"
    workspace.commit_stroke(7, "Ada", paint(mask, (0, 0, 10, 16), 255), "brush")
    assert region_salience(workspace, IDS, (16, 16)).source == "painted:Ada"
    named = region_salience(workspace, IDS, (16, 16), "painted:Adjudicated")
    assert np.count_nonzero(named.masks[1]) == 9 * 16


def test_the_salience_of_a_run_by_name_folder_and_file(workspace, tmp_path):
    run = workspace.new_run_folder("sip-at")
    (run / "recipe.toml").write_text('name = "my run"\n', "utf-8")
    with salience_writer(run / "salience.h5", (16, 16)) as writer:
        masks = np.full((2, 16, 16), 200, np.uint8)
        writer.add(np.array([7, 4]), ["grad-cam: m"] * 2, np.zeros(2, np.int64), masks)
    for source in (run.name, "my run", str(run), str(run / "salience.h5")):
        found = region_salience(workspace, IDS, (16, 16), source)
        assert found.masks.any(axis=(1, 2)).tolist() == [False, True, False]
        assert found.source == str(run / "salience.h5")
        assert found.words.endswith("(1 of 3 images)")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", "has no masks painted by Ada for these images"),
        ("segmentation", "has no object masks of the data set for these images"),
        ("painted:Bo", "There is no annotator Bo in the workspace Toys; it has: Ada."),
        ("nowhere", "There is no salience nowhere: give segmentation"),
    ],
)
def test_what_is_not_there_is_said(workspace, source, sentence):
    with pytest.raises(SipError, match=sentence):
        region_salience(workspace, IDS, (16, 16), source)


def test_nobody_has_painted(tmp_path):
    from sip_explorer.workspace import Workspace

    images = np.zeros((4, 8, 8, 1), np.uint8)
    with Workspace.from_arrays(tmp_path / "w", "none", images, np.arange(4) % 2, ("a", "b")) as workspace:
        for source, sentence in (
            ("painted", "Nobody has painted in the workspace none"),
            ("", "has no salience"),
        ):
            with pytest.raises(SipError, match=sentence):
                region_salience(workspace, np.arange(4), (8, 8), source)
