"""Draws within a bound, the file of prototypes, sheets, animations and tables."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from sip_explorer.protoflow import ProtoFlow
from sip_explorer.protoflow.looking import (
    Strip,
    diverging,
    draw,
    gif,
    record_of,
    sample_images,
    sheet,
    switched_off,
    table,
    to_pixels,
)
from sip_explorer.records import SipError
from sip_explorer.records.prototypes import read_prototypes, write_prototypes


def _xi(flow: ProtoFlow, code: object) -> torch.Tensor:
    prototype = flow.prototypes[0][1]
    return (code.z - prototype.mean) / prototype.deviation  # type: ignore[attr-defined]


@pytest.mark.parametrize("bound", [0.1, 1.0, 2.5])
def test_truncated_draws_obey_the_bound_and_the_truncated_density(flow: ProtoFlow, bound: float) -> None:
    code = draw(flow.prototypes[0][1], 60, truncated=bound)
    xi = _xi(flow, code).flatten()
    assert float(xi.abs().max()) <= bound * (1 + 1e-6)
    assert code.halves is not None
    assert float(code.halves[0].abs().max()) <= bound * (1 + 1e-6)
    assert stats.kstest(xi.numpy(), stats.truncnorm(-bound, bound).cdf).pvalue > 0.01


def test_draws_are_functions_of_seed_and_index(flow: ProtoFlow) -> None:
    prototype = flow.prototypes[0][1]
    whole = draw(prototype, 6, 0.8, 0.3, seed=4, truncated=1.0)
    part = draw(prototype, 2, 0.8, 0.3, seed=4, indices=[5, 2], truncated=1.0)
    assert torch.equal(part.z, whole.z[[5, 2]])
    assert whole.halves is not None
    assert part.halves is not None
    assert torch.equal(part.halves[0], whole.halves[0][[5, 2]])
    assert not torch.equal(draw(prototype, 6, 0.8, 0.3, seed=5, truncated=1.0).z, whole.z)


def test_without_a_bound_they_are_the_samples_of_the_prototype(flow: ProtoFlow) -> None:
    prototype = flow.prototypes[0][1]
    assert torch.equal(sample_images(prototype, 3, 0.7, 0.4, 2), prototype.sample(3, 0.7, 0.4, 2))
    assert torch.equal(sample_images(prototype, 2, 0.7, seed=2), prototype.sample(2, 0.7, seed=2))
    free, wide = draw(prototype, 4).z, draw(prototype, 4, truncated=12.0).z
    torch.testing.assert_close(wide, free, atol=1e-5, rtol=0)  # a wide bound changes nothing
    near = draw(prototype, 4, truncated=1.0).z, draw(prototype, 4, truncated=1.01).z
    assert float((near[0] - near[1]).abs().max()) < 0.03  # and a slider moves a draw smoothly


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"truncated": 0.0}, "bound of the draws is 0.0"),
        ({"truncated": -1.0}, "choose a number above 0"),
        ({"truncated": math.nan}, "nan"),
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"halves_temperature": -2.0}, "temperature is -2.0"),
    ],
)
def test_faults_are_one_sentence(flow: ProtoFlow, settings: dict, sentence: str) -> None:
    with pytest.raises(SipError, match=sentence):
        draw(flow.prototypes[0][0], 2, **settings)


def test_the_file_of_prototypes_holds_what_is_shown(flow: ProtoFlow, tmp_path: Path) -> None:
    samples = torch.stack([torch.stack([p.sample(2, 0.5) for p in row]) for row in flow.prototypes])
    usage = np.arange(9).reshape(3, 3)
    with switched_off(flow, {(1, 2)}):
        made = record_of(flow, "ab" * 32, samples, temperature=0.5, truncated=1.5, usage=usage)
    write_prototypes(tmp_path / "p.h5", made)
    back = read_prototypes(tmp_path / "p.h5")
    np.testing.assert_array_equal(back.means, to_pixels(flow.decode_means()))
    np.testing.assert_array_equal(back.samples, to_pixels(samples))
    np.testing.assert_array_equal(back.usage, usage)
    assert back.active is not None
    assert np.argwhere(~back.active).tolist() == [[1, 2]]
    assert back.weights[1, 2] == 0
    assert (back.temperature, back.halves_temperature, back.truncated) == (0.5, 0.5, 1.5)
    assert record_of(flow, "ab" * 32).samples.shape == (3, 3, 0, 8, 8, 1)


def test_a_sheet_shows_every_pixel_as_a_block(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    colours = diverging(np.linspace(-2, 2, 64).reshape(8, 8), 2.0)[None]
    path = tmp_path / "sheet.png"
    sheet(path, [Strip("", pixels), Strip("", colours, ("a\nb",))], scale=5)
    with Image.open(path) as picture:
        page = np.asarray(picture.convert("RGB")).astype(int)
    for column in range(3):
        left = 8 + column * (40 + 4)
        block = page[8 : 8 + 40, left : left + 40]
        np.testing.assert_array_equal(block[::5, ::5, 0], pixels[column, ..., 0])
        np.testing.assert_array_equal(block[4::5, 4::5, 2], pixels[column, ..., 0])
    np.testing.assert_array_equal(page[8 + 44 : 8 + 84 : 5, 8:48:5], colours[0])
    with pytest.raises(SipError, match=r"no image to write into sheet\.png"):
        sheet(path, [Strip("nothing", [])])


def test_signed_values_have_a_neutral_middle_and_equal_ends() -> None:
    found = diverging(np.array([[-1.0, 0.0, 1.0, 5.0]]), 1.0)
    assert found[0, 1].tolist() == [247, 247, 247]
    assert found[0, 0].tolist() == [5, 48, 97]
    assert found[0, 2].tolist() == found[0, 3].tolist() == [103, 0, 31]
    assert diverging(np.zeros((2, 2))).tolist() == [[[247] * 3] * 2] * 2


@pytest.mark.parametrize("channels", [1, 3])
def test_an_animation_goes_there_and_back(tmp_path: Path, channels: int) -> None:
    images = np.stack([np.full((4, 4, channels), 60 * step, np.uint8) for step in range(4)])
    gif(tmp_path / "walk.gif", images, scale=2)
    with Image.open(tmp_path / "walk.gif") as picture:
        assert picture.size == (8, 8)
        assert picture.info["loop"] == 0
        levels = []
        for frame in range(picture.n_frames):
            picture.seek(frame)
            levels.append(np.asarray(picture.convert("L"))[0, 0])
    assert levels == [0, 60, 120, 180, 120, 60]
    with pytest.raises(SipError, match=r"one\.gif would have 1"):
        gif(tmp_path / "one.gif", images[:1])


def test_a_table_quotes_what_holds_a_comma(tmp_path: Path) -> None:
    table(tmp_path / "t.csv", ("class", "n"), [("T-shirt, white", 3), ("Ärmel", 4)])
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["class", "n"], ["T-shirt, white", "3"], ["Ärmel", "4"]]
