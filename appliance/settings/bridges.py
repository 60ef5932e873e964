"""Bridges to other networks."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, SecretStr

from appliance.bridges.catalogue import CATALOGUE, DEFAULT
from appliance.errors import Problem
from appliance.settings.types import KINDS, UserNames, variable

# What upstream's example says: a bridge would start with it and then never log anybody in.
_EXAMPLE_API_ID = 12345
_LAST_OFFSET = 49


def parse_bridges(value: object) -> object:
    """Given names of bridges separated by commas, or `none`, return them once each."""
    if not isinstance(value, str):
        return value
    names = [name.strip().lower() for name in value.split(",") if name.strip()]
    if names == ["none"]:
        return ()
    known = [bridge.name for bridge in CATALOGUE]
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not one of: {', '.join(known)}; or none alone")
    return tuple(dict.fromkeys(names))


def parse_api_hash(value: object) -> object:
    """Given Telegram's api_hash, return it."""
    if isinstance(value, str) and not re.fullmatch("[0-9a-f]{32}", value):
        raise ValueError("not 32 hexadecimal digits")
    return value


BridgeNames = Annotated[tuple[str, ...], BeforeValidator(parse_bridges, json_schema_input_type=str)]
ApiHash = Annotated[SecretStr, BeforeValidator(parse_api_hash)]
KINDS[BridgeNames] = "bridges, separated by commas, or `none`"
KINDS[ApiHash] = "secret"


class BridgeSettings(BaseModel):
    """Variables about bridges to other networks."""

    bridges: BridgeNames | None = variable(
        None,
        help="The bridges to run, of "
        + ", ".join(f"`{bridge.name}`" for bridge in CATALOGUE)
        + ". One that is named and cannot be had is an error; of the default ones it is left out, "
        "and `appliance status` says why.",
        default_text=f"`{','.join(DEFAULT)}`; none in the trial",
    )
    bridge_admins: UserNames = variable(
        (),
        help="Users of this server who may administer the bridges. Everybody else here may use "
        "them, and nobody of another server.",
        default_text="none",
    )
    bridge_port: int = variable(
        29300,
        help=f"First of the {_LAST_OFFSET + 1} loopback ports of which each bridge has its own. At "
        "the first one they tell how their log-ins are.",
        ge=1024,
        le=65535 - _LAST_OFFSET,
    )
    telegram_api_id: int | None = variable(
        None,
        help="The api_id that you make at https://my.telegram.org/apps. Required for the bridge "
        "to Telegram.",
        ge=1,
    )
    telegram_api_hash: ApiHash | None = variable(
        None,
        help="The api_hash that belongs to `MATRIX_TELEGRAM_API_ID`.",
        secret=True,
    )

    def problems(self) -> Iterator[Problem]:
        """Yield what is given by halves, or is only an example."""
        if self.telegram_api_id == _EXAMPLE_API_ID:
            yield Problem(
                "MATRIX_TELEGRAM_API_ID",
                f"{_EXAMPLE_API_ID} is an example: give the one you made at "
                "https://my.telegram.org/apps",
            )
        for one, other in (("id", "hash"), ("hash", "id")):
            given = getattr(self, f"telegram_api_{one}") is not None
            if given and getattr(self, f"telegram_api_{other}") is None:
                yield Problem(
                    f"MATRIX_TELEGRAM_API_{other.upper()}",
                    f"is required when MATRIX_TELEGRAM_API_{one.upper()} is given",
                )
