"""Networks to find an address in: who says what, without asking anybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from appliance.endpoint import Address, Endpoint
from appliance.public_address.discovery import Network
from appliance.public_address.stun import StunError

FIRST, SECOND, THIRD = SERVERS = tuple(Endpoint(f"stun{n}.example", 3478) for n in (1, 2, 3))
HOME, OTHER, HOME6 = "8.8.4.4", "9.9.9.9", "2a01:4f8::7"
PRIVATE, SHARED = "192.168.1.20", "100.70.1.2"


@dataclass
class StandIn:
    """`says` is what each server answers (nothing: silence), by IPv6 `says6`; `own` the routes."""

    says: Mapping[Endpoint, str] = field(default_factory=dict)
    says6: Mapping[Endpoint, str] = field(default_factory=dict)
    own: Mapping[int, str] = field(default_factory=lambda: {4: PRIVATE})
    lasting: str = ""
    router: str = ""
    asked: list[Endpoint] = field(default_factory=list)

    def network(self) -> Network:
        return Network(self._ask, self._find_own, self._find_lasting, self._ask_router)

    def _ask(self, server: Endpoint, version: int) -> Address:
        self.asked.append(server)
        says = self.says if version == 4 else self.says6
        if server not in says:
            raise StunError("does not answer")
        return ip_address(says[server])

    def _find_own(self, version: int) -> Address | None:
        return ip_address(self.own[version]) if version in self.own else None

    def _find_lasting(self, own: Address) -> Address:
        return ip_address(self.lasting) if self.lasting else own

    def _ask_router(self) -> Address | None:
        return ip_address(self.router) if self.router else None
