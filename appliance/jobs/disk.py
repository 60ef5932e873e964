"""Watch the room on the volume: a full disk refuses uploads and messages in silence."""

import os

from appliance.jobs.contract import Finding, Job, Programs

DATA = "/data"
_GIB = 1024**3
_LOW_BYTES = _GIB
_LOW_SHARE = 0.05


async def measure_room(programs: Programs) -> Finding:
    """Measure what is free on the volume; little is one GiB, or a twentieth of a smaller disk."""
    del programs
    room = os.statvfs(DATA)
    free, total = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    said = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    if free < min(_LOW_BYTES, total * _LOW_SHARE):
        return Finding(ok=False, detail=f"{DATA} is nearly full: {said}")
    return Finding(ok=True, detail=said)


JOB = Job("disk", 60, measure_room)
