"""What a bridge's end and return look like in the log of an appliance, which goes on by itself."""

from .appliances import Appliance

_LINES = (
    r" WARN exited: {name} ",
    r"^synapse +\| .* synapse\.appservice\.api: push_bulk to http://127\.0\.0\.1:",
    r"^synapse +\| .* synapse\.(logging\.context|metrics\.background_process).*as-sender-",
    r"^postgres +\| +synapse ERROR: +duplicate key .*users_name_key",
    r"^postgres +\| +synapse ERROR: +could not serialize access due to concurrent update",
    r"^synapse +\| (.* synapse\.appservice\.scheduler: Error starting AS recoverer|Traceback)",
)


def expect_its_end(appliance: Appliance, name: str) -> None:
    """Allow the lines of a bridge's end and return."""
    for line in _LINES:
        appliance.expect(line.format(name=name), "the bridge ended and came back")
