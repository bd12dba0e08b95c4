"""Seeds of one training are one row: mean, standard deviation, and the tables made of them."""

import csv
import math
import statistics

import h5py
import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.records.robust_table import Column, RobustTable
from sip_explorer.records.seeds import over_seeds, seed_groups
from sip_explorer.records.sweep_table import SEED_COLUMNS, write_seeds_table
from sip_explorer.records.sweeps import CellKey, CellResult, cell_path, read_cell, read_sweep, write_cell


def _cell(model, broken, *, epsilon=8 / 255, attack="pgd", region="everywhere", wrong=1, indices=None):
    images = 20
    success = np.arange(images) < broken
    correct = np.arange(images) >= wrong
    return CellResult(
        model, "log-odds", "sum", "float32", epsilon, 1, images, float(success.mean()), wrong / images, 0.0,
        success, correct, np.zeros(images, np.float32), np.zeros(images, np.float32),
        np.arange(images) if indices is None else indices, attack=attack, region=region,
    )  # fmt: skip


def _origin(seed, group="abc", **more):
    return {"family": group, "seed": str(seed), "data": "garments", **more}


TWO_SEEDS = {
    "SIP-AT": ("SIP-AT, seed 0", "SIP-AT, seed 1"),
    "at_seed2": ("at_seed2",),
    "plain": ("plain",),
}


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        ({}, TWO_SEEDS),
        (
            {"SIP-AT, seed 0": {"method": "sip-at"}, "SIP-AT, seed 1": {"method": "trades"}},
            {name: (name,) for name in ("SIP-AT, seed 0", "SIP-AT, seed 1", "at_seed2", "plain")},
        ),
        (
            # What differs by itself says nothing.
            {"SIP-AT, seed 0": {"seed": "0", "recipe": "1"}, "SIP-AT, seed 1": {"validation_pgd": "0.5"}},
            TWO_SEEDS,
        ),
        (
            # No common beginning: both names.
            {"at_seed2": _origin(2), "plain": _origin(7)},
            {"SIP-AT": ("SIP-AT, seed 0", "SIP-AT, seed 1"), "at_seed2, plain": ("at_seed2", "plain")},
        ),
        (
            {"at_seed2": _origin(2), "plain": _origin(7, data="others")},
            TWO_SEEDS,
        ),
        (
            {"at_seed2": _origin(2), "plain": _origin(2)},
            TWO_SEEDS,
        ),
    ],
    ids=["names", "another-method", "alike", "one-recipe", "other-data", "one-seed-twice"],
)  # fmt: skip
def test_models_that_differ_in_the_seed_alone_are_one(origins, expected):
    models = ["SIP-AT, seed 0", "at_seed2", "SIP-AT, seed 1", "plain"]
    assert seed_groups(models, origins) == expected


def test_names_of_runs_are_shortened_to_what_they_share():
    names = ["robust (2026-01-01 10:00:00)", "robust (2026-02-01 10:00:00)", "robust"]
    origins = {name: _origin(seed) for seed, name in enumerate(names)}
    assert seed_groups(names, origins) == {"robust": tuple(names)}
    # Another model has that name already.
    found = seed_groups([*names[:2], "robust"], {name: origins[name] for name in names[:2]})
    assert list(found.values()) == [tuple(names[:2]), ("robust",)]
    assert len(found) == 2


def test_the_mean_and_the_deviation_are_those_of_the_seeds():
    cells = [_cell(f"at seed {seed}", broken, wrong=seed) for seed, broken in enumerate((5, 8, 12))]
    cells += [_cell("plain", 20), _cell("at seed 0", 9, region="salient")]
    first, alone, single = over_seeds(cells)

    assert (first.key.model, first.models) == ("at", ("at seed 0", "at seed 1", "at seed 2"))
    assert first.robust == pytest.approx(statistics.mean((0.75, 0.6, 0.4)))
    assert first.robust_std == pytest.approx(np.std((0.75, 0.6, 0.4), ddof=1))
    assert first.clean_std == pytest.approx(np.std((1, 0.95, 0.9), ddof=1))
    assert (alone.key, alone.count, alone.robust) == (cells[3].key, 1, 0)
    assert math.isnan(alone.robust_std)
    assert (single.key.region, single.count) == ("salient", 1)
    with pytest.raises(SipError, match="attack all seeds on the same ones"):
        over_seeds([_cell("at seed 0", 3), _cell("at seed 1", 3, indices=np.arange(1, 21))])


def test_the_table_of_seeds_has_every_group_and_what_is_alone(tmp_path):
    cells = [_cell("at seed 0", 5), _cell("at seed 1", 6), _cell("plain, seed 4", 10)]
    write_seeds_table(tmp_path / "a.csv", over_seeds(cells))
    with open(tmp_path / "a.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == SEED_COLUMNS
    assert [(row["model"], row["seeds"], row["models"]) for row in rows] == [
        ("at", "2", "at seed 0; at seed 1"), ("plain, seed 4", "1", "plain, seed 4"),
    ]  # fmt: skip
    assert rows[0]["robust_mean"] == "0.725"
    assert float(rows[0]["robust_std"]) == pytest.approx(np.std((0.75, 0.7), ddof=1), rel=1e-5)
    assert (rows[1]["robust_std"], rows[1]["clean_mean"], rows[1]["region"]) == ("", "0.95", "everywhere")


def test_models_are_compared_column_by_column():
    cells = [
        _cell(model, broken + more, attack=attack, epsilon=epsilon, wrong=wrong)
        for model, broken, wrong in (("at seed 0", 5, 2), ("at seed 1", 6, 3), ("plain", 10, 1))
        for attack, epsilon, more in (("pgd", 0.0, 0), ("pgd", 0.1, 2), ("pgd", 0.02, 1), ("apgd", 0.02, 1))
    ]
    figures = over_seeds([*cells, _cell("plain", 4, region="background")])
    table = RobustTable(figures, "everywhere")

    assert table.models == {"at": ("at seed 0", "at seed 1"), "plain": ("plain",)}
    assert table.columns == [Column(), Column("pgd", 0.02), Column("pgd", 0.1), Column("apgd", 0.02)]
    assert table.seeds
    assert table.best(Column()) == {"plain"}
    assert table.best(Column("pgd", 0.1)) == {"at"}
    assert table.entry("at", Column("pgd", 0.02)).words == "67.5 ± 3.5"
    assert table.entry("plain", Column("pgd", 0.02)).words == "45.0"
    assert table.entry("plain", Column("dlr", 0.02)) is None

    def words(column):
        return f"{column.attack} {column.epsilon:g}" if column.attack else "clean"

    assert table.markdown(words).splitlines() == [
        "| model | clean | pgd 0.02 | pgd 0.1 | apgd 0.02 |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| at (2 seeds) | 87.5 ± 3.5 | **67.5 ± 3.5** | **62.5 ± 3.5** | **67.5 ± 3.5** |",
        "| plain | **95.0** | 45.0 | 40.0 | 45.0 |",
    ]
    rows = list(csv.reader(table.csv(words).splitlines()))
    assert rows[0][:6] == ["model", "seeds", "clean", "clean std", "pgd 0.02", "pgd 0.02 std"]
    assert rows[2] == ["plain", "1", "95", "", "45", "", "40", "", "45", ""]
    alone = RobustTable(figures, "background")
    assert (alone.best(Column()), alone.seeds) == (set(), False)
    assert alone.csv(words) == "model,seeds,clean,pgd 0.0313725\nplain,1,95,80\n"


def test_a_cell_of_a_region_has_a_place_of_its_own_and_everywhere_keeps_the_old_one(tmp_path):
    place = ("m", "log-odds", "sum", "float32", 8 / 255, 1)
    # The name of this cell before there were regions: a folder begun then goes on.
    assert CellKey(*place).name == "m-e0.0314-n1-log-odds-sum-float32-pgd-sign-r1-fc7c7ac39e"
    names = {CellKey(*place, region=region).name for region in ("everywhere", "salient", "background")}
    assert len(names) == 3
    for region in ("background", "everywhere", "salient"):
        write_cell(tmp_path, _cell("m", 3, region=region))
    assert [cell.region for cell in read_sweep(tmp_path)] == ["everywhere", "salient", "background"]

    formats = {}
    for region in ("everywhere", "salient"):
        with h5py.File(cell_path(tmp_path, CellKey(*place, region=region)), "a") as file:
            formats[region] = file.attrs["format"]
            file.attrs["region"] = "edge"
    assert formats == {"everywhere": 2, "salient": 3}  # what knows no regions must not take it for the whole
    assert read_cell(cell_path(tmp_path, CellKey(*place))).region == "everywhere"
    with pytest.raises(SipError, match="cannot be read"):
        read_cell(cell_path(tmp_path, CellKey(*place, region="salient")))
