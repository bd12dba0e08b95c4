"""The one error that a person reads."""


class SipError(Exception):
    """A fault that a person can mend.

    The message is one sentence: what happened, to what, and what to do. Faces show it as it
    stands; every other exception is a fault of the program and is shown with its details.
    """
