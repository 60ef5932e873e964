"""Runs certbot: a child process with a clean environment, bounded in time, no secret in its argv.

Says what it did by its log alone; what that means is judged in `failures`.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from appliance.certificates.acme.challenge import Preparation
from appliance.certificates.stopped import StoppedError
from appliance.files import make_private_directory, write_atomically

if TYPE_CHECKING:
    from appliance.settings import Settings

# Slow authorities and DNS providers take minutes; certbot itself waits 90 s for the authority.
_PATIENCE_SECONDS = 300
# To take its DNS records away again, which needs an API that may be what hangs.
_TIDY_SECONDS = 30
# Among a provider's variables are also words such as `true`.
_SHORTEST_SECRET = 6
_SYSTEM_ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class Run:
    """How a run of certbot ended."""

    status: int
    output: str
    log: str
    in_time: bool = True


@dataclass(frozen=True)
class Certbot:
    """certbot with an account and one certificate below `directory`."""

    settings: "Settings"
    directory: Path
    """Kept: account and certificate of one authority."""
    private: Path
    """Not kept: credentials, logs, and what it works with."""

    @contextlib.contextmanager
    def workplace(self) -> Iterator[None]:
        """Have the private directory, empty at first and without secrets in the end."""
        shutil.rmtree(self.private, ignore_errors=True)
        make_private_directory(self.private)
        make_private_directory(self.directory)
        write_atomically(self.private / "roots.pem", _gather_roots(self.settings), mode=0o600)
        write_atomically(self.private / "certbot.ini", _render_secrets(self.settings), mode=0o600)
        try:
            yield
        finally:
            for secret in self.private.glob("*.ini"):
                secret.unlink()

    @property
    def roots(self) -> Path:
        """Whom to trust: the system's roots, and the owner's."""
        return self.private / "roots.pem"

    def obtain(
        self, server: str, preparation: Preparation, *, again: bool = False, dry: bool = False
    ) -> Run:
        """Have a certificate unless there is one that is not due.

        `again`: although it is not due; `dry`: without keeping it. Raise StoppedError after a
        SIGTERM or SIGINT, which certbot is told too: it takes its DNS records away then.
        """
        shutil.rmtree(self.private / "logs", ignore_errors=True)
        status, output, in_time = _run(
            self._command(server, preparation, again=again, dry=dry),
            self._environment(preparation),
            _PATIENCE_SECONDS + 2 * self.settings.acme_propagation,
        )
        log = self.private / "logs/letsencrypt.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        if preparation.secrets:
            output, text = (hide(one, preparation.secrets) for one in (output, text))
            write_atomically(log, text, mode=0o600)
        return Run(status, output, text, in_time)

    def _command(
        self, server: str, preparation: Preparation, *, again: bool, dry: bool
    ) -> tuple[str, ...]:
        settings = self.settings
        return (
            *(str(Path(sys.executable).with_name("certbot")), "certonly", "--non-interactive"),
            *("--agree-tos", "--no-eff-email", f"--email={settings.acme_email}"),
            f"--config={self.private}/certbot.ini",
            f"--server={server}",
            f"--config-dir={self.directory}",
            f"--work-dir={self.private}/work",
            f"--logs-dir={self.private}/logs",
            *("--max-log-backups=0", "--no-directory-hooks"),
            f"--cert-name={settings.domain}",
            f"--domains={','.join(preparation.names)}",
            f"--key-type={settings.acme_key_type}",
            *("--renew-with-new-domains", "--force-renewal" if again else "--keep-until-expiring"),
            *(("--dry-run",) if dry else ()),
            *preparation.options,
        )

    def _environment(self, preparation: Preparation) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": str(self.private),
            # The first is the authority's, the second Cloudflare's: two libraries.
            "REQUESTS_CA_BUNDLE": str(self.roots),
            "SSL_CERT_FILE": str(self.roots),
            **preparation.environment,
        }


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without secrets, as they are and as addresses hold them."""
    lines = {line for secret in secrets for line in secret.splitlines()}
    for secret in sorted(lines, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            for form in (secret, quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(form, "…")
    return text


def _run(
    command: tuple[str, ...], environment: dict[str, str], patience_seconds: float
) -> tuple[int, str, bool]:
    """Run a program to its end, or until told to stop; pass that on and wait for its end."""
    stopped = False
    child: subprocess.Popen[str] | None = None

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        nonlocal stopped
        stopped = True
        if child:
            child.terminate()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        output = _await_end(child, patience_seconds, lambda: stopped)
        in_time = output is not None
        if output is None:
            output = _end(child)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stopped:
        raise StoppedError
    return child.returncode, output, in_time


def _await_end(
    child: subprocess.Popen[str], patience_seconds: float, told_to_stop: Callable[[], bool]
) -> str | None:
    """Return what a program printed until its end, None if that did not come in time."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if told_to_stop():
            # Again and again: Cloudflare's library takes the exception, which certbot makes of a
            # signal during its requests, for one of the network, and goes on.
            child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=1)[0]
    return None


def _end(child: subprocess.Popen[str]) -> str:
    """Tell it to tidy up and end, for as long as that may take, then kill it."""
    for _ in range(_TIDY_SECONDS):
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=1)[0]
    child.kill()
    return child.communicate()[0]


def _gather_roots(settings: "Settings") -> str:
    roots = [_SYSTEM_ROOTS.read_text()] if _SYSTEM_ROOTS.exists() else []
    if settings.acme_ca_bundle:
        roots.append(Path(settings.acme_ca_bundle).read_text())
    return "\n".join(roots)


def _render_secrets(settings: "Settings") -> str:
    """Return certbot's configuration file with what must not be in its argv."""
    lines = ["# Generated by appliance/certificates/acme/certbot.py, do not edit."]
    if settings.acme_eab_kid and settings.acme_eab_hmac_key:
        lines.append(f"eab-kid = {settings.acme_eab_kid}")
        lines.append(f"eab-hmac-key = {settings.acme_eab_hmac_key.get_secret_value()}")
    return "\n".join(lines) + "\n"
