"""The appliance's names in the DNS: which records it needs, and making them at Cloudflare.

Touches no record but those it made. Never part of the boot: the agent has it done.
"""

from appliance.dns.plan import MARK, Action, Row, draw
from appliance.dns.source import Source

__all__ = ["MARK", "Action", "Row", "Source", "draw"]
