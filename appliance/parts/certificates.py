"""Certificates under TLS: refuses a pair of the owner's that no server could use, renews the rest.

What is done with them is in `appliance/certificates`; the agent starts the program every minute.
"""

import time
from collections.abc import Iterable, Iterator

from appliance.certificates import Publication, Source
from appliance.certificates.roots import judge_roots
from appliance.errors import Problem
from appliance.files import Directory, Entry, File
from appliance.machine import Machine
from appliance.parts.contract import Check, Deployment, Part, Program
from appliance.paths import TLS, TLS_SOURCE
from appliance.settings import Settings, TlsMode

# For certbot to take its DNS records away, within what `docker stop` allows all of us.
_TIDY_SECONDS = 8
_VARIABLES = {"certificate": "MATRIX_TLS_CERTIFICATE_PATH", "key": "MATRIX_TLS_KEY_PATH"}


class Certificates(Part):
    """Whatever keeps the certificate that servers use good."""

    name = "certificates"
    order = 15

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether the appliance serves HTTPS itself."""
        del machine
        return bool(settings.tls)

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield what makes the owner's own pair useless."""
        settings = deployment.settings
        if settings.acme_ca_bundle and (complaint := judge_roots(settings.acme_ca_bundle)):
            yield Problem("MATRIX_ACME_CA_BUNDLE", complaint)
        if settings.tls_mode is TlsMode.FILES:
            from appliance.certificates import pair  # cryptography: 60 ms

            if settings.tls_certificate_path and settings.tls_key_path:  # or that is told already
                for fault in pair.find_faults(Source.of(settings)):
                    yield Problem(_VARIABLES[fault.file], str(fault))

    def warnings(self, deployment: Deployment) -> Iterator[str]:
        """Yield what is less than perfect about what is served, or will be."""
        settings = deployment.settings
        if state := Publication().read_state():
            yield from state.describe(time.time())
        elif settings.tls_mode is TlsMode.FILES:  # `appliance check` before the first boot
            from appliance.certificates import pair

            source = Source.of(settings)
            for doubt in pair.judge(source).facts.doubts(source.hosts):
                yield f"{source.certificate}: {doubt}"

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return what the program of every minute has to know."""
        source = Source.of(deployment.settings, deployment.tls_services)
        return (Directory(TLS), File(TLS_SOURCE, source.to_json()))

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return the program that renews: as root, which alone may read an owner's key."""
        del deployment
        command = ("python", "-m", "appliance.certificates")
        return (
            Program(
                "certificates",
                command,
                "root",
                stop_seconds=_TIDY_SECONDS,
                once=True,
                on_demand=True,
            ),
        )

    def check(self, deployment: Deployment) -> Check:
        """Tell how the published certificate stands."""
        del deployment
        state, now = Publication().read_state(), time.time()
        if state is None:
            return Check(healthy=False, detail="nothing is published")
        return Check(healthy=not any(state.describe(now)), detail=state.headline())


PART = Certificates()
