"""A Postgres server of the owner's instead of the appliance's own: no program, but a question."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance import databases
from appliance.certificates.roots import judge_roots
from appliance.errors import Problem
from appliance.files import Directory, Entry, File
from appliance.machine import Machine
from appliance.parts.contract import Check, Deployment, Part, Probe, Program
from appliance.parts.postgres import DATA, PSQL
from appliance.paths import EXTERNAL_POSTGRES, POSTGRES_CA, POSTGRES_PASSWORDS
from appliance.probe import CommandProbe
from appliance.settings import Settings


class ExternalPostgres(Part):
    """The owner's database server, as far as it is the appliance's matter."""

    name = "postgres"
    order = 10
    essential = True

    def enabled(self, settings: Settings, machine: Machine) -> bool:
        """Return whether the owner gives a server."""
        del machine
        return settings.postgres_url is not None

    def problems(self, deployment: Deployment) -> Iterator[Problem]:
        """Yield data that would be left behind, a service without a URL, and useless roots."""
        settings = deployment.settings
        clusters = [path.parent for path in DATA.glob("*/PG_VERSION") if path.parent.name.isdigit()]
        if clusters:
            yield Problem(
                "MATRIX_POSTGRES_URL",
                f"is given, but this volume holds data in {max(clusters)}: start without it to go "
                'on with them, or move them as in docs/operations.md, "A Postgres server of your '
                'own"',
            )
        bundle = settings.postgres_ca_bundle
        if bundle and (complaint := judge_roots(bundle)):
            yield Problem("MATRIX_POSTGRES_CA_BUNDLE", complaint)
        urls = settings.external_postgres
        if urls and not urls.admin:
            for service in deployment.databases:
                if service not in urls.services:
                    yield Problem(
                        "MATRIX_POSTGRES_URL",
                        f"names no URL for {service}, which needs a database: add "
                        f"{service}=postgresql://… or leave it out of MATRIX_BRIDGES",
                    )

    def files(self, deployment: Deployment) -> Iterable[Entry]:
        """Return each service's password for that service, and where the data are."""
        settings = deployment.settings
        found = {name: databases.locate(settings, name) for name in deployment.databases}
        synapse = found["synapse"]
        return (
            Directory("/run/postgres"),
            Directory(POSTGRES_PASSWORDS, fresh=True),
            *(_password_file(deployment, service) for service in found),
            *_authorities(settings),
            Directory(str(DATA), "postgres", "postgres", 0o700),
            File(EXTERNAL_POSTGRES, f"{synapse.server}, database {synapse.name}\n"),
        )

    def programs(self, deployment: Deployment) -> Iterable[Program]:
        """Return nothing: it runs elsewhere."""
        del deployment
        return ()

    def probes(self, deployment: Deployment) -> Iterable[Probe]:
        """Return a query to each service's database, as that service."""
        return [
            CommandProbe(
                (PSQL, "-XAtqw", "-c", "SELECT 1", "-d", databases.locate(settings, name).conninfo)
            )
            for settings in (deployment.settings,)
            for name in deployment.databases
        ]

    def check(self, deployment: Deployment) -> Check:
        """Ask it, and say which server that was."""
        answer = super().check(deployment)
        server = databases.locate(deployment.settings, "synapse").server
        return Check(answer.healthy, f"{server} (yours): {answer.detail}")


def _password_file(deployment: Deployment, service: str) -> File:
    password = databases.find_password(deployment.settings, deployment.credentials, service)
    text = databases.render_password_file(password)
    # libpq reads none that anybody else could read.
    return File(databases.password_file(service), text, service, "root", 0o400, secret=True)


def _authorities(settings: Settings) -> Iterator[File]:
    """Yield the owner's roots where every service may read them."""
    if settings.postgres_ca_bundle:
        yield File(POSTGRES_CA, Path(settings.postgres_ca_bundle).read_text())


PART = ExternalPostgres()
