"""A published flow in the loading dialogue: its weights are a choice, an architecture is none."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from sip_explorer.qt.models.file_facts import FileFacts
from sip_explorer.state.model_look import ModelLook


@pytest.fixture
def facts(qtbot: QtBot) -> FileFacts:
    widget = FileFacts()
    qtbot.addWidget(widget)
    widget.show()
    return widget


def look(*variants: str) -> ModelLook:
    return ModelLook(Path("checkpoint.pt"), ("PyTorch file",), flow=True, variants=variants)


def test_plain_and_averaged_weights_are_chosen_between(facts: FileFacts, qtbot: QtBot) -> None:
    facts.show_look(look("model", "model_ema"))
    assert facts.weights.isVisible()
    assert not facts.architecture.isVisible()
    assert [facts.weights.tabText(place) for place in range(facts.weights.count())] == ["model", "model_ema"]
    assert facts.chosen_weights == "model"
    with qtbot.waitSignal(facts.changed):
        qtbot.mouseClick(facts.weights, Qt.MouseButton.LeftButton, pos=facts.weights.tabRect(1).center())
    assert facts.chosen_weights == "model_ema"


def test_one_kind_of_weights_leaves_no_choice(facts: FileFacts) -> None:
    facts.show_look(look("model"))
    assert not facts.weights.isVisible()
    assert facts.chosen_weights is None
