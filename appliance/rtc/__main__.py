"""Run the service until told to end."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from appliance.http_server import serve
from appliance.paths import CALLS, RTC_SOCKET
from appliance.rtc.configuration import read_configuration
from appliance.rtc.departures import Departures
from appliance.rtc.federation import Federation
from appliance.rtc.homeserver import Homeserver
from appliance.rtc.openid import Verifier
from appliance.rtc.outside import Outside
from appliance.rtc.service import Service
from appliance.rtc.sfu import Sfu


async def main() -> None:
    """Listen, and do the jobs of delegated leaves."""
    configuration = read_configuration()
    sfu, homeserver = Sfu(configuration), Homeserver(configuration.homeserver)
    departures = Departures(Path(CALLS, "departures.json"), sfu, homeserver)
    federation = Federation(Outside(configuration.denied_ranges))
    verifier = Verifier(configuration, homeserver, federation)
    service = Service(configuration.public_livekit, verifier, sfu, departures)
    server = await serve(RTC_SOCKET, service.handle)
    async with server, asyncio.TaskGroup() as group:
        watching = group.create_task(departures.run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, watching.cancel)


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    asyncio.run(main())
