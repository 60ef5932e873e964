"""How the names are proved to be ours: what each challenge adds to a run of certbot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.certificates.acme.certbot import Run
    from appliance.settings import Settings


@dataclass(frozen=True)
class Preparation:
    """What certbot needs for a challenge, once it is known that the challenge can work."""

    options: tuple[str, ...]
    """Of certbot's command line, so without any secret."""
    names: tuple[str, ...]
    """To ask for: those of the settings that can be proved."""
    environment: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    """What the owner should know although it is no failure."""
    secrets: tuple[str, ...] = ()
    """To be kept out of whatever certbot says."""
    conclude: Callable[["Run"], tuple[str, ...]] | None = None
    """Takes note of what a run that went well says, and returns the remarks after it."""
    look_again_soon: bool = False
    """Whether what the remarks are about may mend itself at any time."""


@dataclass(frozen=True)
class Circumstances:
    """What a challenge may use."""

    settings: "Settings"
    kept: Path
    """Where account and certificate of this authority are."""
    directory: Path
    """For files that nobody but root may read; gone after the run."""
    propagation_seconds: int
    """To wait for the DNS: as set, or longer after it was too slow."""
    again: bool = False
    """Whether the owner asks for it, who may have mended what was wrong."""


def prepare(circumstances: Circumstances) -> Preparation:
    """Look whether the challenge can work, and return what it adds.

    Raise OperationError saying what is in the way, before the authority is asked anything.
    """
    from appliance.settings import AcmeChallenge

    match circumstances.settings.acme_challenge:
        case AcmeChallenge.DNS_CLOUDFLARE:
            from appliance.certificates.acme import dns_cloudflare

            prepare_it: Callable[[Circumstances], Preparation] = dns_cloudflare.prepare
        case AcmeChallenge.HTTP:
            from appliance.certificates.acme import http

            prepare_it = http.prepare
        case AcmeChallenge.DNS_MULTI:
            from appliance.certificates.acme import dns_multi

            prepare_it = dns_multi.prepare
    return prepare_it(circumstances)
