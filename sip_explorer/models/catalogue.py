"""What is known of every architecture without building it; needs no torch."""

from functools import cache

from sip_explorer.models.fingerprints import TIMM, TIMM_PREFIX, TORCHVISION, fingerprint_of, fingerprints
from sip_explorer.models.own_networks import OWN
from sip_explorer.records import SipError


@cache
def architecture_names() -> tuple[str, ...]:
    """Return every name that `build_classifier` knows: our own, torchvision's, then ``timm/…``."""
    theirs = (f"{TIMM_PREFIX}{name}" for name in sorted(fingerprints(TIMM)))
    return *OWN, *sorted(fingerprints(TORCHVISION)), *theirs


def is_architecture(name: str) -> bool:
    """Whether `build_classifier` knows the name; the table of timm is read for its names alone."""
    return name in OWN or fingerprint_of(name) is not None


def head_keys(architecture: str) -> tuple[str, ...]:
    """Return the keys of the last layer, its weight first; some networks have two that they average."""
    if architecture in OWN:
        weight = OWN[architecture].head
        return weight, weight.removesuffix("weight") + "bias"
    known = fingerprint_of(architecture)
    if known is None:
        raise SipError(f"There is no architecture named {architecture!r}; choose one of the list.")
    return known.head


def head_key(architecture: str) -> str:
    """Return the key of the last layer's weight, whose first axis counts the classes."""
    return head_keys(architecture)[0]
