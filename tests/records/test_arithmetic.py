"""What a GPU would do quicker and otherwise is switched off while it counts."""

import pytest
import torch

from sip_explorer.records.arithmetic import repeatable


def _settings():
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    algorithms = torch.are_deterministic_algorithms_enabled()
    return cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32, algorithms


def test_on_a_gpu_float32_is_float32_and_sums_have_one_order():
    before = _settings()
    with repeatable(torch.device("cuda")):
        assert _settings() == (False, True, False, False, True)
    assert _settings() == before


def test_an_error_puts_the_settings_back():
    before = _settings()
    with pytest.raises(ValueError, match="wrong"), repeatable(torch.device("cuda")):
        raise ValueError("wrong")
    assert _settings() == before


def test_elsewhere_nothing_is_touched():
    before = _settings()
    with repeatable(torch.device("cpu")):
        assert _settings() == before
