"""The trained models of an open workspace, and their cards."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path

from sip_explorer.models.choice import Choice
from sip_explorer.records import CancelToken, Progress
from sip_explorer.workspace.cards import Check, Measured, ModelCard
from sip_explorer.workspace.manifest import Manifest
from sip_explorer.workspace.models import ModelEntry, ModelRegistry, with_choice


class ModelAccess:
    """The part of `Workspace` about models; may be used from any thread.

    Model files and cards have one writer each and need no lock: a read-only window may add them too,
    where the folder can be written.
    """

    path: Path
    manifest: Manifest
    _registry: ModelRegistry

    def models(self) -> list[ModelEntry]:
        """Return the models on offer: files, those of packages, runs (newest last)."""
        return self._registry.entries()

    def add_model(
        self,
        path: Path | str,
        name: str | None = None,
        *,
        choice: Choice | None = None,
        reason: str = "",
        licence: str = "",
        token: CancelToken | None = None,
    ) -> ModelEntry:
        """Copy a checkpoint into the workspace, inspected first, with a card for what was chosen.

        Parameters
        ----------
        name : str, optional
            By default the file's.
        choice : Choice, optional
            None leaves open what the file does not say, or keeps what was chosen for the same file before.
        reason : str
            Why this choice, in words.
        licence : str

        Raises
        ------
        SipError
            If the file is no checkpoint, or cannot be copied.
        """
        adding = self.adding_model(path, name, choice=choice, reason=reason, licence=licence, token=token)
        while True:
            try:
                next(adding)
            except StopIteration as end:
                entry: ModelEntry = end.value
                return entry

    def adding_model(
        self,
        path: Path | str,
        name: str | None = None,
        *,
        choice: Choice | None = None,
        reason: str = "",
        licence: str = "",
        token: CancelToken | None = None,
    ) -> Generator[Progress, None, ModelEntry]:
        """Do what `add_model` does, with progress in megabytes."""
        return self._registry.add(
            Path(path), name, choice=choice, reason=reason, licence=licence, token=token
        )

    def card(self, entry: ModelEntry) -> ModelCard | None:
        """Return what is known of a model now; its hash is computed where it is not known yet.

        Raises
        ------
        SipError
            The file cannot be read, or its card is of a newer format.
        """
        return self._registry.cards.read(self._registry.cards.digest(entry.path))

    def set_choice(self, entry: ModelEntry, choice: Choice, reason: str) -> ModelCard:
        """Keep another choice for a model's file; what was measured under the old one is dropped."""
        return self._change_card(entry, lambda card: with_choice(card, choice, reason))

    def set_card_texts(
        self, entry: ModelEntry, *, licence: str | None = None, notes: str | None = None
    ) -> ModelCard:
        """Keep what a person wrote on a card; None leaves it as it is."""
        return self._change_card(
            entry,
            lambda card: replace(
                card,
                licence=card.licence if licence is None else licence,
                notes=card.notes if notes is None else notes,
            ),
        )

    def record_measured(self, entry: ModelEntry, *measured: Measured) -> ModelCard:
        """Add accuracies to a card; one of the same attack and epsilon on the same images is replaced."""
        places = {(each.what, each.epsilon, each.images) for each in measured}

        def fill(card: ModelCard) -> ModelCard:
            others = (old for old in card.measured if (old.what, old.epsilon, old.images) not in places)
            return replace(card, measured=(*others, *measured))

        return self._change_card(entry, fill)

    def record_checks(self, entry: ModelEntry, checks: Sequence[Check]) -> ModelCard:
        """Keep a round of checks, in place of the last one."""
        return self._change_card(entry, lambda card: replace(card, checks=tuple(checks)))

    def _change_card(self, entry: ModelEntry, change: Callable[[ModelCard], ModelCard]) -> ModelCard:
        return self._registry.cards.change(entry.path, change)
