import csv

import numpy as np
import pytest

from sip_explorer.records.comparison import between_models
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweep_table import CELL_COLUMNS, PAIRED_COLUMNS, write_paired_table, write_table
from sip_explorer.records.sweeps import CellResult

SETTINGS = {
    "norm": "linf", "steps": 10, "step_size": None, "raw_step_size": 0.5, "zero_gradient": "stay", "seed": 3,
    "micro_batch": 64, "execution": "vectorised",
}  # fmt: skip


def _cell(broken=(2, 5), **changes) -> CellResult:
    wrong = np.zeros(40, bool)
    wrong[list(broken)] = True
    values = dict(
        model='SIP-AT, "hard"',
        loss="ce",
        reduction="mean",
        precision="float16",
        epsilon=8 / 255,
        batch_size=16,
        images=40,
        success=float(wrong.mean()),
        clean_wrong=1 / 40,
        zero_gradient_fraction=0.125,
        success_per_image=wrong,
        clean_correct=np.arange(40) != 2,
        loss_per_image=np.zeros(40, np.float32),
        zero_gradient_per_image=np.zeros(40, np.float32),
        indices=np.arange(40),
        micro_batch=32,
    )
    return CellResult(**(values | changes))


def _rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_says_all_that_decides_a_cell_and_how_sure_it_is(tmp_path):
    write_table(tmp_path / "table.csv", [_cell()], SETTINGS)

    (row,) = _rows(tmp_path / "table.csv")

    assert tuple(row) == CELL_COLUMNS
    low, high = wilson(38, 40)
    assert row == {
        "model": 'SIP-AT, "hard"', "attack": "pgd", "region": "everywhere", "norm": "linf",
        "epsilon": "0.0313725", "epsilon_255ths": "8",
        "steps": "10", "step_rule": "sign", "step_size": "0.00784314", "restarts": "1",
        "loss": "ce", "reduction": "mean", "precision": "float16", "batch_size": "16",
        "execution": "vectorised", "micro_batch": "32", "zero_gradient": "stay", "seed": "3", "images": "40",
        "clean_accuracy": "0.975", "robust_images": "38", "robust_accuracy": "0.95",
        "robust_low_95": f"{low:.6g}", "robust_high_95": f"{high:.6g}", "zero_gradient_share": "0.125",
        "broken_by": "",
    }  # fmt: skip
    assert float(row["robust_low_95"]) == pytest.approx(0.835, abs=5e-4)


def test_a_step_is_as_long_as_its_rule_makes_it(tmp_path):
    cells = [_cell(step=step) for step in ("normalised:add:1e-10", "raw", "adaptive")]

    write_table(tmp_path / "a.csv", cells, SETTINGS)
    write_table(tmp_path / "b.csv", cells, SETTINGS | {"step_size": 0.01})
    write_table(tmp_path / "c.csv", cells, {"step_size": 0.25, "steps": 7})  # of the first format

    sizes = [[row["step_size"] for row in _rows(tmp_path / f"{name}.csv")] for name in "abc"]
    assert sizes == [["0.00784314", "0.5", ""], ["0.01", "0.5", ""], ["0.25", "0.25", ""]]
    assert [row["norm"] for row in _rows(tmp_path / "c.csv")] == ["", "", ""]


def test_an_ensemble_says_which_run_broke_how_many(tmp_path):
    broken_by = np.full(40, -1)
    broken_by[[3, 5, 8]] = 0, 1, 0
    cell = _cell(
        (2, 3, 5, 8), attack="apgd-ce+t", step="adaptive", breakers=("apgd-ce", "apgd-t", "fab-t"),
        broken_by_per_image=broken_by, micro_batch=0,
    )  # fmt: skip

    write_table(tmp_path / "table.csv", [cell], {"norm": "linf"})

    (row,) = _rows(tmp_path / "table.csv")
    assert row["broken_by"] == "apgd-ce 2; apgd-t 1; fab-t 0"
    assert (row["attack"], row["micro_batch"], row["steps"]) == ("apgd-ce+t", "", "")


def test_the_second_table_holds_every_paired_test(tmp_path):
    cells = [_cell(), _cell(range(20), model="plain"), _cell(model="third"), _cell(loss="dlr")]

    write_paired_table(tmp_path / "paired.csv", cells)

    rows, tests = _rows(tmp_path / "paired.csv"), between_models(cells)
    assert [(row["first_model"], row["second_model"]) for row in rows] == [
        ('SIP-AT, "hard"', "plain"), ('SIP-AT, "hard"', "third"), ("plain", "third"),
    ]  # fmt: skip
    assert tuple(rows[0]) == PAIRED_COLUMNS
    assert (rows[0]["only_first_wrong"], rows[0]["only_second_wrong"], rows[0]["images"]) == ("0", "18", "40")
    assert rows[0]["robust_accuracy_difference"] == "0.45"
    for row, (test, adjusted) in zip(rows, tests, strict=True):
        assert float(row["p_mcnemar"]) == pytest.approx(test.p_value, rel=1e-3)
        assert float(row["p_holm"]) == pytest.approx(adjusted, rel=1e-3)
        assert float(row["difference_low_95"]) == pytest.approx(test.low, rel=1e-4)
        assert float(row["difference_high_95"]) == pytest.approx(test.high, rel=1e-4)
        assert row["step_rule"] == "sign"


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(OSError, match="file"):
        write_table(tmp_path / "file" / "table.csv", [_cell()], SETTINGS)

    assert (tmp_path / "file").read_text() == "mine"
