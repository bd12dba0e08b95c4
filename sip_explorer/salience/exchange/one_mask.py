"""For formats that have room for one mask an image."""

from sip_explorer.records import SipError
from sip_explorer.salience.exchange.foreign import OutgoingMask


class OneMask:
    """Refuses a second mask of an image.

    Parameters
    ----------
    what
        The format, at the beginning of the sentence.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._taken: dict[str, str] = {}

    def take(self, mask: OutgoingMask) -> None:
        """Note a mask.

        Raises
        ------
        SipError
            If its image has one already.
        """
        other = self._taken.setdefault(mask.stem, mask.annotator)
        if other != mask.annotator:
            raise SipError(
                f"{self._what} has one mask an image, {mask.image} has those of {other} and "
                f"{mask.annotator}: choose one annotator, or merge them."
            )
