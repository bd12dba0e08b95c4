"""``salience agreement``: how far people agree on the images they share, and a model with them."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say, table
from sip_explorer.cli.workspaces import classifier_entry, opened
from sip_explorer.records import CancelToken, SipError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.workspace import Annotator, Workspace
    from sip_explorer.workspace.agreement import AgreementReport

_DISPUTED = 5  # so many images are named


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer salience agreement my-workspace --images overlap --model standard"
    )
    def agreement(
        workspace: Annotated[Path, typer.Argument(help="The workspace folder.")],
        images: Annotated[
            str | None, typer.Option(metavar="COLLECTION", help="Only images of this collection.")
        ] = None,
        annotator: Annotated[
            list[str] | None,
            typer.Option("--annotator", "-a", help="Only these people; repeatable. By default all people."),
        ] = None,
        model: Annotated[
            str | None,
            typer.Option("--model", "-m", help="Compare its Grad-CAM with people: human–model alignment."),
        ] = None,
        sigma: Annotated[
            float | None,
            typer.Option(
                min=0.0,
                help="Of the blur before the rank correlation, in pixels; by default 0.044 of the shorter "
                "side, as for ClickMe (arXiv 2211.04533).",
            ),
        ] = None,
        out: Annotated[
            Path | None,
            typer.Option(
                metavar="FOLDER", help="Write tables per image, class, person and pair into it, as CSV."
            ),
        ] = None,
        device: DeviceOption = "auto",
    ) -> None:
        """Measure how far people agree on images that several of them painted."""
        with opened(workspace) as open_workspace:
            report = _measured(open_workspace, images, annotator, model, sigma, device)
            say(*report.sentences(), *_tables(report))
            if out is not None:
                say("", *(f"table: {path}" for path in report.to_csv(out)))


def _measured(
    workspace: "Workspace",
    collection: str | None,
    names: list[str] | None,
    model: str | None,
    sigma: float | None,
    device: str,
) -> "AgreementReport":
    from sip_explorer.workspace.agreement import measure_agreement

    ids = workspace.image_ids(collection=collection)
    people = _people(workspace, names)
    maps: dict[int, NDArray[np.uint8]] = {}
    if model is not None:
        maps = _maps(workspace, ids, people, model, device)
    token = CancelToken()
    job = measure_agreement(
        workspace,
        ids,
        [person.id for person in people],
        token,
        sigma=sigma,
        model_maps=maps,
        model_name=model or "",
    )
    report: AgreementReport = _result(job, token)
    if not report.images:
        where = f"the collection {collection}" if collection else f"the workspace {workspace.name}"
        who = ", ".join(person.name for person in people) or "nobody"
        raise SipError(
            f"No image of {where} was painted by two of these people ({who}): have a second person paint "
            "some of the same images."
        )
    return report


def _people(workspace: "Workspace", names: list[str] | None) -> "list[Annotator]":
    """Return those of ``names``, of any kind; without names all people."""
    if not names:
        return workspace.annotators()
    everyone = {person.name: person for person in workspace.annotators(None)}
    for name in names:
        if name not in everyone:
            known = ", ".join(everyone) or "nobody yet"
            raise SipError(
                f"There is no annotator {name} in the workspace {workspace.name}; it has: {known}."
            )
    return [everyone[name] for name in dict.fromkeys(names)]


def _maps(
    workspace: "Workspace", ids: "NDArray[np.int64]", people: "list[Annotator]", name: str, device: str
) -> "dict[int, NDArray[np.uint8]]":
    """Return the model's maps of the images that anybody painted or left empty."""
    import numpy as np

    from sip_explorer.training.environment import resolve_device
    from sip_explorer.workspace.model_maps import model_maps

    classifier = classifier_entry(workspace, name).load()
    done = np.zeros(len(ids), bool)
    for person in people:
        done |= np.isin(workspace.states(ids, person.id), ("painted", "empty"))
    token = CancelToken()
    job = model_maps(workspace, ids[done], classifier, name=name, device=resolve_device(device), token=token)
    found: dict[int, NDArray[np.uint8]] = _result(job, token)
    return found


def _result(job: Any, token: CancelToken) -> Any:
    """Follow a job and return what it made."""
    made: list[Any] = []
    follow(job, token, lambda artefact: made.append(artefact.data))
    return made[-1]


def _tables(report: "AgreementReport") -> list[str]:
    """Return tables per class, person and pair, and the most disputed images."""
    from sip_explorer.workspace.agreement_report import figure

    def cells(row: Any) -> list[str]:
        return [f"{row.images:,}", figure(row.iou), figure(row.dice), figure(row.spearman)]

    figures = ["images", "IoU", "Dice", "Spearman"]
    modelled = [f"with {report.model_name}"] if report.modelled else []
    lines: list[str] = []
    if report.classes:
        rows = [[row.name, *cells(row), *([figure(row.model)] if modelled else [])] for row in report.classes]
        lines += ["", *table(["class", *figures, *modelled], rows)]
    if report.annotators:
        rows = [
            [row.name, *cells(row), *([figure(row.model)] if modelled else [])] for row in report.annotators
        ]
        lines += ["", *table(["person", *figures, *modelled], rows)]
    if len(report.pairs) > 1:
        rows = [[f"{row.first} and {row.second}", *cells(row)] for row in report.pairs]
        lines += ["", *table(["pair", *figures], rows)]
    disputed = sorted(
        (entry for entry in report.images if entry.dispute > 0),
        key=lambda entry: (-entry.dispute, entry.image),
    )
    if disputed:
        files = Counter(entry.name for entry in report.images)
        words = {row.label: f"{row.name}/" for row in report.classes}
        named = (
            f"{words.get(entry.label, '') if files[entry.name] > 1 else ''}{entry.name} "
            f"(IoU {figure(entry.iou)})"
            for entry in disputed[:_DISPUTED]
        )
        lines += ["", f"most disputed: {', '.join(named)}"]
    return lines
