"""How the appliance gets its certificates."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import BaseModel

from appliance.errors import Problem
from appliance.settings.domain import is_trial
from appliance.settings.types import AbsolutePath, variable


class TlsMode(StrEnum):
    """Where certificates come from."""

    ACME = "acme"
    FILES = "files"
    SELF_SIGNED = "self-signed"
    PROXY = "proxy"
    OFF = "off"


class TlsSettings(BaseModel):
    """Variables about TLS."""

    tls_mode: TlsMode = variable(
        derived=lambda values: TlsMode.OFF if is_trial(values) else TlsMode.ACME,
        help="`acme`: certificates of Let's Encrypt or another authority, asked for and renewed "
        "by the appliance; `files`: a certificate of your own; `self-signed`: the appliance is its "
        "own certificate authority, kept in `/data`, whose root is offered for download; `proxy`: "
        "another reverse proxy serves HTTPS and passes on to plain HTTP here (`appliance "
        "proxy-snippet` prints its configuration); `off`: plain HTTP.",
        default_text="`off` in the trial, else `acme`",
    )
    tls_certificate_path: AbsolutePath | None = variable(
        None,
        help="The certificate chain (PEM) for `matrix.DOMAIN`, `chat.DOMAIN` and, with "
        "`MATRIX_TURN=yes`, `turn.DOMAIN`, as a path inside the container. Read again when it "
        "changes. Required when `MATRIX_TLS_MODE=files`.",
    )
    tls_key_path: AbsolutePath | None = variable(
        None,
        help="The private key (PEM) of that certificate, as a path inside the container. Required "
        "when `MATRIX_TLS_MODE=files`.",
    )

    @property
    def tls(self) -> bool:
        """Whether the appliance itself serves HTTPS."""
        return self.tls_mode not in (TlsMode.OFF, TlsMode.PROXY)

    @property
    def https(self) -> bool:
        """Whether clients come by HTTPS, whoever serves it."""
        return self.tls_mode is not TlsMode.OFF

    def problems(self) -> Iterator[Problem]:
        """Yield what a mode needs and was not given, or was given in vain."""
        for name in ("tls_certificate_path", "tls_key_path"):
            given = getattr(self, name) is not None
            variable_name = f"MATRIX_{name.upper()}"
            if self.tls_mode is TlsMode.FILES and not given:
                yield Problem(variable_name, "is required when MATRIX_TLS_MODE=files")
            if given and self.tls_mode is not TlsMode.FILES:
                yield Problem(
                    variable_name,
                    f"has no effect when MATRIX_TLS_MODE={self.tls_mode}: set "
                    "MATRIX_TLS_MODE=files or leave it out",
                )
