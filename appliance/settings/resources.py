"""How much of the machine the appliance may use."""

from pydantic import BaseModel

from appliance.settings.types import Size, variable


class ResourceSettings(BaseModel):
    """Variables about memory."""

    postgres_memory: Size | None = variable(
        None,
        help="Memory that Postgres plans with.",
        default_text="a quarter of the container's memory limit; without a limit a quarter of the "
        "machine's memory, 1G at the most",
        ge=64 * 1024**2,
    )
