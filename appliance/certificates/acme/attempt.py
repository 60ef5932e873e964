"""One attempt at a certificate: look whether it can work, ask, and say what came of it."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance import settings as variables
from appliance.certificates.acme.certbot import Certbot, Run
from appliance.certificates.acme.challenge import Circumstances, prepare
from appliance.certificates.acme.failures import Failure, Fault, explain
from appliance.certificates.source import Order
from appliance.cloudflare import CloudflareError
from appliance.errors import ConfigurationError, OperationError
from appliance.settings import Settings
from appliance.started import read_environment

PRIVATE = Path("/run/certbot")
# What DNS providers need when they are slow; a failed challenge costs more than waiting.
_SLOW_DNS_SECONDS = 90
_ROOM_BYTES = 1024**2


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt."""

    failure: Failure | None = None
    remarks: tuple[str, ...] = ()
    """What came up although it went well."""
    look_again_soon: bool = False
    """Whether what the remarks are about may mend itself at any time."""
    said: str = ""
    """What certbot printed."""


def attempt(order: Order, *, slow_dns: bool = False, again: bool = False) -> Outcome:
    """Have a certificate, or the one there is if it is not due. Raise StoppedError if told to.

    `slow_dns`: give the DNS more time; `again`: even if it is not due.
    """
    settings = variables.load(read_environment())
    certbot = Certbot(settings, Path(order.directory), PRIVATE)
    return _try(certbot, settings.acme_directory, slow_dns=slow_dns, again=again)


def rehearse(order: Order) -> Outcome:
    """Do all of it without keeping or serving anything: Let's Encrypt's by its staging."""
    settings = variables.load(read_environment())
    directory, server = Path(order.directory), settings.acme_directory
    if settings.acme_server == "letsencrypt":
        settings = settings.model_copy(update={"acme_server": "staging"})
        directory, server = directory.with_name("staging"), settings.acme_directory
    certbot = Certbot(settings, directory, PRIVATE.with_name("certbot-test"))
    return _try(certbot, server, dry=True)


def _try(
    certbot: Certbot, server: str, *, slow_dns: bool = False, again: bool = False, dry: bool = False
) -> Outcome:
    settings = certbot.settings
    propagation = max(settings.acme_propagation, _SLOW_DNS_SECONDS if slow_dns else 0)
    try:
        _require_room(certbot.directory)
        with certbot.workplace(), _trusting(certbot.roots):
            preparation = prepare(
                Circumstances(settings, certbot.directory, certbot.private, propagation, again)
            )
            run = certbot.obtain(server, preparation, again=again, dry=dry)
            failure = _judge(run, settings)
            if failure and failure.fault is Fault.UNKNOWN_ACCOUNT:
                _set_aside(certbot.directory / "accounts")
                run = certbot.obtain(server, preparation, again=again, dry=dry)
                failure = _judge(run, settings)
    except CloudflareError as error:
        wait = error.retry_after_seconds
        retry_at = time.time() + wait if wait is not None else None
        return Outcome(Failure(Fault.OTHER, str(error), retry_at))
    except (OperationError, ConfigurationError) as error:
        return Outcome(Failure(Fault.OTHER, str(error)))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return Outcome(Failure(Fault.OTHER, f"{where}{error.strerror}"))
    remarks = preparation.remarks
    if preparation.conclude and not failure and not dry:
        remarks = preparation.conclude(run)
    soon = preparation.look_again_soon and bool(remarks)
    return Outcome(failure, remarks, soon, run.output)


def _require_room(directory: Path) -> None:
    """Raise OperationError if a certificate could not be kept: the authority would count it."""
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    room = os.statvfs(existing)
    if room.f_bavail * room.f_frsize < _ROOM_BYTES:
        raise OperationError("the disk is full: make room on the volume at /data")


def _judge(run: Run, settings: Settings) -> Failure | None:
    return explain(run, settings, time.time()) if run.status else None


@contextlib.contextmanager
def _trusting(roots: Path) -> Iterator[None]:
    """Let this process's own TLS trust what certbot trusts."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(roots)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before


def set_certificates_aside(order: Order) -> None:
    """Keep what cannot be used out of certbot's way, so that it makes a new one."""
    for name in ("live", "archive", "renewal"):
        _set_aside(Path(order.directory) / name)


def _set_aside(path: Path) -> None:
    """Give a directory a name that nobody looks for."""
    if path.exists():
        path.rename(path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"))
