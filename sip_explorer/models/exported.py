"""Programs of ``torch.export.save`` (.pt2) as networks."""

import io
import json
import logging
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from sip_explorer.models.exported_files import ExportedFile, read_parts
from sip_explorer.models.exported_rules import cleaned
from sip_explorer.records import SipError


class ExportedNetwork(nn.Module):
    """An exported program as a module: any number of images in, one row of class scores each out.

    A program is fixed in the mode that it was exported in, so ``train`` and ``eval`` only set the flag
    ``training``. A program of a fixed number of images gets them in parts, the last filled up with copies
    of its last image, whose scores are cut off.
    """

    def __init__(self, program: nn.Module, described: ExportedFile) -> None:
        super().__init__()
        self.program = program
        self.least, self.most = described.least, described.most
        self._dtype: torch.dtype = getattr(torch, described.input_dtype)

    def train(self, mode: bool = True) -> "ExportedNetwork":
        """Set the flag ``training``; the program computes the same in both modes."""
        for module in self.modules():
            module.training = mode
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores (N, K) of ``images`` (N, C, H, W)."""
        parts = torch.split(images.to(self._dtype), self.most or max(1, len(images)))  # type: ignore[no-untyped-call]
        return torch.cat([self._part(part) for part in parts])

    def _part(self, images: Tensor) -> Tensor:
        missing = self.least - len(images)
        if missing > 0:
            images = torch.cat([images, images[-1:].detach().expand(missing, -1, -1, -1)])
        scores = self.program(images)
        while isinstance(scores, tuple | list | dict):
            scores = next(iter(scores.values() if isinstance(scores, dict) else scores))
        rows: Tensor = scores[:-missing] if missing > 0 else scores
        return rows


def load_exported(path: Path, described: ExportedFile, *, own_code: bool, device: torch.device) -> nn.Module:
    """Return the program of a file as an `ExportedNetwork` on ``device``.

    Only what `exported_rules` lists is handed to ``torch.export.load``, in an archive made anew from it.
    With ``own_code`` a file that carries more is loaded as it is, which may run code of its author.

    Raises
    ------
    SipError
        If the file carries more and ``own_code`` is false, or torch cannot load it.
    """
    if described.carries and not own_code:
        raise SipError(
            f"{path} carries {described.carries[0]}, so loading it could run code of its author; agree to "
            "that only if you trust the author (in the dialogue the tick “run its code”, on the command line "
            "--run-code).",
            detail="\n".join(f"It carries {carried}." for carried in described.carries),
        )
    try:
        with _silent():
            if described.carries:
                with open(path, "rb") as file:
                    program = torch.export.load(io.BytesIO(file.read()))
            else:
                program = torch.export.load(_copy(path))
            if device.type != "cpu":  # tensors that the graph itself makes follow as well
                from torch.export.passes import move_to_device_pass

                program = move_to_device_pass(program, str(device))
            module = program.module(check_guards=False)
    except Exception as error:
        written = f" (it was written by torch {described.torch_version})" if described.torch_version else ""
        raise SipError(
            f"{path} is a program that torch {torch.__version__} cannot load{written}; export it again with "
            "this version.",
            detail=f"{type(error).__name__}: {error}",
        ) from error
    return ExportedNetwork(module, described)


def _copy(path: Path) -> io.BytesIO:
    """Return an archive of what is safe in ``path``: the cleaned program and plain bytes of tensors."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(buffer, "w") as copy:
        root, program, weights, constants = read_parts(archive)
        folder = "program/"
        copy.writestr(f"{folder}archive_format", "pt2")
        copy.writestr(f"{folder}archive_version", archive.read(f"{root}archive_version"))
        copy.writestr(f"{folder}.data/version", "6\n")
        copy.writestr(f"{folder}byteorder", "little")
        copy.writestr(f"{folder}models/model.json", json.dumps(cleaned(program)))
        copy.writestr(f"{folder}data/sample_inputs/model.pt", b"")  # a pickle in the original
        for kind, payloads in (("weights", weights), ("constants", constants)):
            names = {payload["path_name"] for payload in payloads.values()}
            for name in sorted(names):
                copy.writestr(f"{folder}data/{kind}/{name}", archive.read(f"{root}data/{kind}/{name}"))
            copy.writestr(f"{folder}data/{kind}/model_{kind}_config.json", json.dumps({"config": payloads}))
    buffer.seek(0)
    return buffer


@contextmanager
def _silent() -> Iterator[None]:
    """Keep torch from logging tracebacks of what becomes one sentence here."""
    loggers = [logging.getLogger(name) for name in ("torch.export", "torch.export.pt2_archive._package")]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
