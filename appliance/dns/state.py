"""What the last look at the zone found, in a file that the agent and the command line read."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.dns.plan import Action, Row
from appliance.files import write_atomically
from appliance.paths import DNS_STATE


@dataclass(frozen=True)
class State:
    """How the zone was, or why nobody could tell."""

    time: float
    rows: tuple[Row, ...] = ()
    failure: str = ""
    retry_after_seconds: int | None = None
    done: tuple[str, ...] = ()
    """What was changed in this look, worded."""

    @property
    def well(self) -> bool:
        """Whether nobody has to do anything."""
        return not self.failure and all(row.well for row in self.rows)

    def summarize(self) -> str:
        """Return it in one line."""
        if self.failure:
            return self.failure
        odd = [row for row in self.rows if not row.well]
        said = [f"{row.name} {row.type} {row.now or 'is not made'}: {row.why}" for row in odd]
        good = len(self.rows) - len(odd)
        return "; ".join([*([f"{good} records as they should be"] if good else []), *said]) or (
            "waits until the public address is known"
        )

    def write(self, file: Path = Path(DNS_STATE)) -> None:
        """Keep it."""
        rows = [{**asdict(row), "record": None} for row in self.rows]
        values = {**vars(self), "rows": rows}
        write_atomically(file, json.dumps(values, indent=1) + "\n", mode=0o644, owner=-1, group=-1)

    @classmethod
    def read(cls, file: Path = Path(DNS_STATE)) -> "State | None":
        """Return what was kept last, None before there was anything."""
        try:
            values = json.loads(file.read_text())
        except FileNotFoundError:
            return None
        rows = tuple(Row(**{**row, "action": Action(row["action"])}) for row in values["rows"])
        return cls(**{**values, "rows": rows, "done": tuple(values["done"])})


def word(rows: Sequence[Row], before: Sequence[Row]) -> tuple[str, ...]:
    """Given rows after and before, return what was done to each."""
    return tuple(
        f"{was.name} {was.type}: {was.now + ' -> ' if was.now else ''}{now.now}"
        for now, was in zip(rows, before, strict=True)
        if was.record is not None and now.action is Action.NOTHING
    )
