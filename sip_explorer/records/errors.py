"""The one error that a person reads."""


class SipError(Exception):
    """A fault that a person can mend.

    The message is one sentence: what happened, to what, and what to do. Faces show it as it
    stands; every other exception is a fault of the program and is shown with its details.

    Attributes
    ----------
    detail : str
        Lines that do not fit into a sentence (code to copy, a long list), "" where there are none.
        Faces show them where they show the details of a fault.
    """

    def __init__(self, message: str = "", *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail
