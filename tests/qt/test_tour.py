"""The whole job, unattended, through the real window and on the real demo: paint, train, attack, invert."""

from PySide6.QtGui import QImage

from sip_explorer.qt.tour import acts, run


def test_the_tour_does_the_whole_job(qapp, tmp_path, monkeypatch):
    # The same acts, smaller: the full size is the command's.
    monkeypatch.setattr(acts, "EPOCHS", 1)
    monkeypatch.setattr(acts, "SWEEP_IMAGES", 4)
    monkeypatch.setattr(acts, "PAINTED", 2)
    monkeypatch.setattr("sip_explorer.qt.rooms.attacks.form.DEFAULT_EPSILONS", "0.03, 0.1")
    out = tmp_path / "tour"
    assert run(out) == 0
    for name in ("salience", "training", "attack", "prototypes"):
        picture = QImage(str(out / f"{name}.png"))
        assert picture.width() == 1440
        colours = {picture.pixel(x, y) for x in range(0, 1440, 16) for y in range(0, 900, 16)}
        assert len(colours) > 20, f"{name}.png shows next to nothing"
    report = (out / "report.html").read_text("utf-8")
    for words in (
        "3 of 400",
        " painted, ",
        "for N = 1, 16, 64, 256",
        "misclassified at ε",
        "0 of 784 values differ",
    ):
        assert words in report, words
