import numpy as np
import pytest
import torch

from sip_explorer.records import SipError
from sip_explorer.salience import PROTECTED, hard_budget, soft_budget, to_salience


def test_every_stored_value_is_protected_from_128_on():
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    salience = to_salience(values)
    assert salience.shape == (1, 1, 16, 16)
    assert salience.dtype == torch.float32
    free = hard_budget(salience).numpy().reshape(256)
    assert (free == (np.arange(256) < PROTECTED)).all()
    np.testing.assert_allclose(
        soft_budget(salience).numpy().reshape(256), 1 - np.arange(256) / 255, atol=1e-7
    )


def test_one_mask_becomes_a_batch_of_one():
    assert to_salience(np.zeros((4, 6), np.uint8)).shape == (1, 1, 4, 6)


def test_salience_out_of_range_is_refused():
    for bad in (torch.full((1, 1, 2, 2), 1.5), torch.full((1, 1, 2, 2), float("nan"))):
        for budget in (hard_budget, soft_budget):
            with pytest.raises(SipError, match=r"\[0, 1\]"):
                budget(bad)
    with pytest.raises(SipError, match="channel axis"):
        hard_budget(torch.zeros(1, 2, 2))
    with pytest.raises(SipError, match="uint8"):
        to_salience(np.zeros((2, 2), np.float32))
