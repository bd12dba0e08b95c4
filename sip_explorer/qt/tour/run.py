"""Runs the acts one after the other in a workspace of its own and writes ``report.html``."""

from __future__ import annotations

import html
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from sip_explorer.records import SipError, write_text


def run(out: Path) -> int:
    """Do the whole job in the real window, off screen unless a platform is chosen already.

    A person's own workspaces and settings are not touched: the tour works on a fresh copy of the
    demo in a temporary folder.

    Parameters
    ----------
    out : Path
        Folder for one PNG per room and ``report.html``.

    Returns
    -------
    int
        0 if every act did what it should, else 1.
    """
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    before = os.environ.get("SIP_EXPLORER_DATA")
    with tempfile.TemporaryDirectory(prefix="sip-explorer-tour-", ignore_cleanup_errors=True) as folder:
        os.environ["SIP_EXPLORER_DATA"] = folder
        try:
            return _tour(out)
        finally:
            if before is None:
                del os.environ["SIP_EXPLORER_DATA"]
            else:
                os.environ["SIP_EXPLORER_DATA"] = before


def _tour(out: Path) -> int:
    from sip_explorer.qt.app import make_application, make_window
    from sip_explorer.qt.tour.acts import ACTS, Figures
    from sip_explorer.qt.tour.hand import Hand
    from sip_explorer.state import Session

    app = make_application()
    session = Session()
    session.settings["theme"] = "light"
    window = make_window(app, session)
    window.resize(1440, 900)
    hand = Hand(app, window)
    session.problem.connect(lambda sentence, _details: hand.problems.append(sentence))
    began = time.monotonic()
    done: list[tuple[str, str, Figures, float]] = []
    failure = ""
    window.show()
    window.activateWindow()  # keys go to the window that is active
    try:
        hand.wait(window.isActiveWindow, "the window", 20)
        session.open_demo()
        session.jobs.warm_up()
        for key, title, act in ACTS:
            start = time.monotonic()
            print(f"{title}…", flush=True)
            figures = act(window, hand, out)
            done.append((key, title, figures, time.monotonic() - start))
            for name, value in figures.items():
                print(f"  {name}: {value}", flush=True)
    except SipError as error:
        failure = str(error)
        hand.problems.clear()
        hand.picture(out / "failure.png")
    finally:
        window.close_now()
        window.deleteLater()
        app.processEvents()
    write_text(out / "report.html", _report(done, failure, time.monotonic() - began))
    print(failure or f"Done in {time.monotonic() - began:.0f} s: {out / 'report.html'}", flush=True)
    return 1 if failure else 0


def _report(acts: list[tuple[str, str, dict[str, str], float]], failure: str, seconds: float) -> str:
    parts = []
    for key, title, figures, took in acts:
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in figures.items()
        )
        parts.append(
            f"<h2>{html.escape(title)} <small>{took:.0f} s</small></h2><table>{rows}</table>"
            f'<img src="{key}.png" alt="The {html.escape(title)} room">'
        )
    outcome = f"<p class='bad'>{html.escape(failure)}</p>" if failure else ""
    software = ", ".join(
        f"{name} {version(name)}" for name in ("sip-explorer", "torch", "PySide6-Essentials")
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>SIP Explorer: the tour</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1B1F23; background: #F6F7F8; max-width: 1100px;
  margin: 2em auto; padding: 0 1em; }}
img {{ width: 100%; border: 1px solid #DFE3E6; border-radius: 6px; }}
table {{ border-collapse: collapse; margin: .5em 0 1em; font-variant-numeric: tabular-nums; }}
th {{ text-align: left; font-weight: 400; color: #5F6B76; padding: 2px 16px 2px 0; vertical-align: top; }}
small {{ color: #5F6B76; font-weight: 400; }} .bad {{ color: #B3261E; }}
</style>
<h1>The whole job, unattended</h1>
<p>{html.escape(software)}; {html.escape(platform.platform())}; {os.cpu_count()} cores;
{seconds:.0f} s in all. Every figure was measured in this run.</p>
{outcome}
{"".join(parts)}
</html>
"""
