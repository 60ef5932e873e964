"""Settings: every variable of the appliance, read once into one frozen object.

A field is its variable without `MATRIX_`, in lower case. Reads what it is given and files named by
`…_FILE`; changes nothing.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from appliance.errors import ConfigurationError, Problem
from appliance.settings.acme import AcmeChallenge, AcmeSettings, KeyType
from appliance.settings.bridges import BridgeSettings
from appliance.settings.calls import CallSettings
from appliance.settings.cloudflare import CloudflareSettings
from appliance.settings.dns import CloudflareDns, DnsSettings
from appliance.settings.domain import DomainSettings
from appliance.settings.homeserver import Federation, HomeserverSettings, LogLevel, Registration
from appliance.settings.network import NetworkSettings
from appliance.settings.postgres import PostgresSettings
from appliance.settings.proxy import FrontProxy, ProxySettings
from appliance.settings.public_address import PublicAddressSettings
from appliance.settings.resources import ResourceSettings
from appliance.settings.tls import TlsMode, TlsSettings
from appliance.settings.turn import TurnSettings
from appliance.settings.web import WebSettings

__all__ = [
    "AREAS",
    "AcmeChallenge",
    "CloudflareDns",
    "Federation",
    "FrontProxy",
    "KeyType",
    "LogLevel",
    "Registration",
    "Settings",
    "TlsMode",
    "load",
    "variable_name",
]

PREFIX = "MATRIX_"
# A derived default may use the variables of earlier areas.
AREAS = (
    DomainSettings,
    TlsSettings,
    AcmeSettings,
    CloudflareSettings,
    NetworkSettings,
    PublicAddressSettings,
    ProxySettings,
    DnsSettings,
    HomeserverSettings,
    WebSettings,
    BridgeSettings,
    CallSettings,
    TurnSettings,
    ResourceSettings,
    PostgresSettings,
)

# Below this a "nearest" name is none; difflib's ratio.
_NEAR = 0.65
_PATTERNS = {"^[A-Z]{2}$": "two capital letters, such as DE"}

# Source: Kubernetes documentation, "Accessing the Service": what a pod of a namespace with a
# Service called matrix… finds in its environment.
_KUBERNETES_NAME = re.compile(
    r"MATRIX(_\w+)?(_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)"
)
_KUBERNETES_VALUE = re.compile(r"(tcp|udp|sctp)(://\S+)?|\d+|[0-9a-fA-F:.]+")


class Settings(*reversed(AREAS), BaseSettings):  # type: ignore[misc]
    """Every variable, valid and frozen."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load` alone, which reads the environment it is given."""
        del settings_cls, args
        return (sources["init_settings"],)

    @property
    def base_url(self) -> str:
        """The public address of the client API, without a trailing slash."""
        return self.public_base_url or self.address_of(self.matrix_host)

    @property
    def chat_url(self) -> str:
        """The public address of the web client, without a trailing slash."""
        return self.web_client_location or self.address_of(self.chat_host)

    def address_of(self, host: str) -> str:
        """Given one of our hosts, return its public address, the port only where needed."""
        scheme, port, usual = (
            ("https", self.https_port, 443) if self.https else ("http", self.http_port, 80)
        )
        return f"{scheme}://{host}" if port == usual else f"{scheme}://{host}:{port}"

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the variables together, area by area."""
        yield from self._ask_areas("problems")

    def warnings(self) -> Iterator[Problem]:
        """Yield what works, but not as its owner may think."""
        yield from self._ask_areas("warnings")

    def _ask_areas(self, question: str) -> Iterator[Problem]:
        for area in AREAS:
            if own := vars(area).get(question):
                yield from own(self)


def load(environment: Mapping[str, str]) -> Settings:
    """Read every `MATRIX_*` of an environment. Raise ConfigurationError with all problems."""
    settings, problems = judge(environment)
    if problems or settings is None:
        raise ConfigurationError(problems)
    return settings


def judge(environment: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    """Return the settings, and what is wrong with the environment.

    There are settings in spite of problems where every value that was given is one.
    """
    given, problems = _read(environment)
    settings, invalid = _validate(given)
    if settings is not None:
        return settings, [*problems, *settings.problems()]
    # Judge the rest as if the bad ones had not been given, so that nothing is reported late.
    bad = {problem.subject for problem in invalid}
    remaining = {name: value for name, value in given.items() if variable_name(name) not in bad}
    partial, _ = _validate(remaining)
    together = partial.problems() if partial else ()
    others = [p for p in together if not any(re.search(rf"\b{name}\b", str(p)) for name in bad)]
    return None, [*problems, *invalid, *others]


def variable_name(field: str) -> str:
    """Given a field's name, return its variable's."""
    return PREFIX + field.upper()


def _read(environment: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """Return the given values by field, `…_FILE` resolved, and what could not be read."""
    given: dict[str, str] = {}
    problems = []
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        field = name.removeprefix(PREFIX).lower()
        if field in Settings.model_fields:
            if value.strip():  # a compose file's `MATRIX_X=` means: not given
                given[field] = value.strip()
        elif field.removesuffix("_file") in Settings.model_fields:
            field = field.removesuffix("_file")
            if environment.get(variable_name(field), "").strip():
                problems.append(Problem(name, f"{variable_name(field)} is set too: give one"))
            elif value.strip():
                try:
                    given[field] = Path(value.strip()).read_text().strip()
                except (OSError, UnicodeDecodeError) as error:
                    reason = getattr(error, "strerror", None) or "is not text"
                    problems.append(Problem(name, f"cannot read {value.strip()}: {reason}"))
        elif not (_KUBERNETES_NAME.fullmatch(name) and _KUBERNETES_VALUE.fullmatch(value)):
            problems.append(Problem(name, _unknown(name)))
    return given, problems


def _unknown(name: str) -> str:
    field = name.removeprefix(PREFIX).removesuffix("_FILE").lower()
    nearest = difflib.get_close_matches(field, Settings.model_fields, n=1, cutoff=_NEAR)
    hint = f"; did you mean {variable_name(nearest[0])}?" if nearest else ""
    return f"is not a variable of the appliance{hint}"


def _validate(given: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    try:
        return Settings.model_validate(given), []
    except ValidationError as error:
        return None, [
            Problem(variable_name(str(detail["loc"][0])), _explain(detail))
            for detail in error.errors()
            if detail["type"] != "default_factory_not_called"
        ]


def _explain(detail: ErrorDetails) -> str:
    """Word one of pydantic's errors for the owner; never with the value of a secret."""
    field = Settings.model_fields[str(detail["loc"][0])]
    extra = field.json_schema_extra
    secret = isinstance(extra, dict) and bool(extra["secret"])
    value = "the value given" if secret else repr(detail["input"])
    context = detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            return "is not valid" if secret else str(context["error"])
        case "enum":
            return f"{value} is not one of: {_choices(str(context['expected']))}"
        case "int_parsing" | "int_type":
            return f"{value} is not a whole number"
        case "greater_than_equal":
            return f"{value} is too small: at least {_bound(context['ge'])}"
        case "less_than_equal":
            return f"{value} is too large: at most {_bound(context['le'])}"
        case "too_short" if not secret:
            return "names nothing"
        case "string_too_short" | "too_short":
            return f"{value} is too short: at least {context['min_length']} characters"
        case "string_pattern_mismatch":
            return f"{value} is not {_PATTERNS[context['pattern']]}"
        case _:
            return detail["msg"] if secret else f"{value}: {detail['msg']}"


def _choices(expected: str) -> str:
    return expected.replace("'", "").replace(" or ", ", ")


def _bound(bound: int) -> str:
    """Word a bound: those of sizes are whole units, and no other is."""
    for unit, factor in (("G", 1024**3), ("M", 1024**2), ("K", 1024)):
        if bound % factor == 0:
            return f"{bound // factor}{unit}"
    return str(bound)
