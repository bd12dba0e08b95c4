import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_explorer.records import SipError
from sip_explorer.records.comparison import between_models, holm, mcnemar, newcombe, paired
from sip_explorer.records.sweeps import CellResult

counts = st.integers(0, 400)


def _cell(wrong, *, indices=None, **changes) -> CellResult:
    wrong = np.asarray(wrong, bool)
    values = dict(
        model="first",
        loss="log-odds",
        reduction="sum",
        precision="float32",
        epsilon=8 / 255,
        batch_size=1,
        images=len(wrong),
        success=float(wrong.mean()),
        clean_wrong=0.0,
        zero_gradient_fraction=0.0,
        success_per_image=wrong,
        clean_correct=np.ones(len(wrong), bool),
        loss_per_image=np.zeros(len(wrong), np.float32),
        zero_gradient_per_image=np.zeros(len(wrong), np.float32),
        indices=np.arange(len(wrong)) if indices is None else np.array(indices),
    )
    return CellResult(**(values | changes))


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        (86, 150, 3.715936e-05),  # Agresti's approval ratings, as in the paper of R's exact2x2 (Fay, 2011)
        (6, 16, 0.05247879),  # Cavo et al., 2012
        (0, 5, 0.0625),
        (7, 7, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_finds_the_published_p_values(only_first, only_second, p_value):
    assert mcnemar(only_first, only_second) == pytest.approx(p_value, rel=1e-6)


@given(counts, counts)
def test_mcnemar_is_the_binomial_test(only_first, only_second):
    from scipy.stats import binomtest

    if only_first + only_second:
        expected = binomtest(only_first, only_first + only_second).pvalue
        assert mcnemar(only_first, only_second) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(only_first, only_second) == mcnemar(only_second, only_first)


def test_mcnemar_has_no_limit_of_size():
    assert 0 < mcnemar(24_000, 26_000) < 1e-15


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),  # Newcombe, 1998
        ((20, 12, 2, 16), 0.0562, 0.3292),
        ((59, 6, 16, 80), -0.1186, -0.0046),  # Cavo et al., 2012, in Fagerland, Lydersen and Laake, 2017
        ((1, 1, 7, 12), -0.507, -0.026),  # Bentur et al., 2009, in the same
        ((14, 5, 0, 22), 0.011, 0.226),  # Altman et al., Statistics with Confidence, 2000, table 6.2
    ],
)
def test_newcombe_finds_the_published_intervals(table, low, high):
    digits = 5e-5 if low in (0.0569, 0.0562, -0.1186) else 5e-4

    assert newcombe(*table) == (pytest.approx(low, abs=digits), pytest.approx(high, abs=digits))


@given(counts, counts, counts, counts)
def test_newcombe_holds_the_difference_and_turns_with_the_order(both, first, second, neither):
    low, high = newcombe(both, first, second, neither)
    total = both + first + second + neither

    assert -1 <= low <= high <= 1
    if total:
        assert low - 1e-12 <= (first - second) / total <= high + 1e-12
    assert newcombe(both, second, first, neither) == (pytest.approx(-high), pytest.approx(-low))


def test_newcombe_without_a_correlation_to_estimate():
    assert newcombe(10, 0, 0, 0) == (pytest.approx(-0.2775, abs=1e-4), pytest.approx(0.2775, abs=1e-4))
    assert newcombe(0, 0, 0, 0) == (-1, 1)


def test_holm_is_that_of_r():
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_lies_between_no_adjustment_and_bonferroni(p_values):
    adjusted = holm(p_values)

    for p_value, value in zip(p_values, adjusted, strict=True):
        assert p_value <= value <= min(1, len(p_values) * p_value) + 1e-12
    assert sorted(adjusted) == [adjusted[i] for i in sorted(range(len(adjusted)), key=p_values.__getitem__)]


def test_cells_are_compared_image_by_image_in_any_order():
    first = _cell([1, 1, 0, 0, 0, 0, 1, 0])
    second = _cell([1, 1, 1, 1, 0, 0, 0, 1], indices=[6, 0, 1, 2, 3, 4, 5, 7], model="second")

    test = paired(first, second)

    assert (test.first, test.second, test.images) == (first.key, second.key, 8)
    assert (test.only_first_wrong, test.only_second_wrong) == (0, 2)
    assert test.difference == pytest.approx(first.robust_accuracy - second.robust_accuracy) == 0.25
    assert (test.low, test.high) == newcombe(3, 2, 0, 3)
    assert test.p_value == 0.5
    turned = paired(second, first)
    assert (turned.difference, turned.only_first_wrong, turned.p_value) == (-0.25, 2, 0.5)


def test_cells_of_other_images_do_not_compare():
    with pytest.raises(SipError, match="first and second were attacked on different images: attack both on"):
        paired(_cell([0, 1]), _cell([0, 1], indices=[0, 2], model="second"))


def test_models_are_compared_under_the_same_attack_and_once():
    def cells(model, wrong):
        return [
            _cell([0] * 20, model=model, epsilon=0.0),
            _cell([0] * 20, model=model, epsilon=0.0, loss="ce"),  # clean images again
            _cell([1] * wrong + [0] * (20 - wrong), model=model),
            _cell([1] * wrong + [0] * (20 - wrong), model=model, batch_size=16, shared=True),
            _cell([1] * wrong + [0] * (20 - wrong), model=model, step="raw"),
        ]

    tests = between_models([*cells("a", 0), *cells("b", 1), *cells("c", 12), _cell([1] * 20, restarts=5)])

    found = [(t.first.model, t.second.model, t.first.epsilon, t.first.step) for t, _ in tests]
    assert found == [
        (first, second, epsilon, step)
        for epsilon, step in ((0.0, "sign"), (8 / 255, "sign"), (8 / 255, "raw"))
        for first, second in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    for test, adjusted in tests:
        assert test.p_value <= adjusted
        assert (adjusted < 0.05) == ("c" in (test.first.model, test.second.model) and test.first.epsilon > 0)
    assert [adjusted for _, adjusted in tests] == holm([test.p_value for test, _ in tests])
    assert between_models(cells("a", 3)) == []


def test_models_that_were_swept_at_other_sizes_are_compared_where_the_size_makes_no_difference():
    # Model a was swept at N = 1; later 64 was added, and b, whose first size was 64.
    cells = [
        _cell([0] * 20, model="a"),
        _cell([0] * 20, model="a", batch_size=64, shared=True),
        _cell([1] * 20, model="b", shared=True),
        _cell([1] * 20, model="b", batch_size=64),
        _cell([0] * 20, model="c", batch_size=64),
    ]

    tests = between_models(cells)

    assert [(t.first.model, t.second.model, t.only_second_wrong) for t, _ in tests] == [
        ("a", "b", 20), ("a", "c", 0), ("b", "c", 0),
    ]  # fmt: skip
    assert [(t.first.batch_size, t.second.batch_size) for t, _ in tests] == [(1, 1), (64, 64), (64, 64)]
