"""The database server: the appliance's own, or one of the owner's."""

from collections.abc import Iterator

from pydantic import BaseModel, SecretStr

from appliance.bridges.catalogue import CATALOGUE, Framework
from appliance.errors import Problem
from appliance.settings.postgres_url import PostgresUrls, judge_urls, parse_urls
from appliance.settings.resources import ResourceSettings
from appliance.settings.types import AbsolutePath, variable

# Whether a service is always there, by its name.
_SERVICES = {
    "synapse": True,
    **{bridge.name: False for bridge in CATALOGUE if bridge.framework is Framework.MAUTRIX},
}


class PostgresSettings(ResourceSettings, BaseModel):
    """Variables about a Postgres server of your own."""

    postgres_url: SecretStr | None = variable(
        None,
        help="A Postgres server of yours instead of the one in the image: either one "
        "`postgresql://USER:PASSWORD@HOST:PORT` whose user may make roles and databases, or "
        "`SERVICE=postgresql://USER:PASSWORD@HOST:PORT/DATABASE` for `synapse` and each bridge, "
        "in lines or separated by spaces. TLS is verified (`sslmode=verify-full`) unless the URL "
        "ends with another `?sslmode=` (`verify-ca`, `require`, `disable`) or the server is on "
        "this machine's loopback address.",
        default_text="none: the image's own server, in the volume",
        secret=True,
    )
    postgres_ca_bundle: AbsolutePath | None = variable(
        None,
        help="Root certificates (PEM) that the Postgres server's certificate is verified with. A "
        "path inside the container.",
        default_text="the authorities that Debian trusts",
    )

    @property
    def external_postgres(self) -> PostgresUrls | None:
        """Where the owner's databases are; None where the appliance has its own.

        None also where what was given is unclear, which is a problem already.
        """
        return None if [*self._complaints()] else self._parse()

    def problems(self) -> Iterator[Problem]:
        """Yield what the URL does not say clearly."""
        for complaint in self._complaints():
            yield Problem("MATRIX_POSTGRES_URL", complaint)
        if not self.postgres_url and self.postgres_ca_bundle:
            yield Problem(
                "MATRIX_POSTGRES_CA_BUNDLE", "needs MATRIX_POSTGRES_URL: it is for that server"
            )

    def warnings(self) -> Iterator[Problem]:
        """Yield what is given and has no effect."""
        if self.postgres_url and self.postgres_memory:
            yield Problem(
                "MATRIX_POSTGRES_MEMORY",
                "has no effect on the server of MATRIX_POSTGRES_URL: give it memory there",
            )

    def _parse(self) -> PostgresUrls | None:
        return parse_urls(self.postgres_url.get_secret_value()) if self.postgres_url else None

    def _complaints(self) -> Iterator[str]:
        if self.postgres_url:
            yield from judge_urls(self.postgres_url.get_secret_value(), _SERVICES)
