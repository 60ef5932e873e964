"""The keeping of a certificate that an authority issued: asks when it is time, and not before.

Part of every boot and run every minute: imports what asks only when there is something to ask.
"""

import contextlib
import time
from dataclasses import replace

from appliance.certificates import Publication, refresh
from appliance.certificates.acme import schedule as schedules
from appliance.certificates.acme.schedule import Schedule
from appliance.certificates.source import Order, Source
from appliance.certificates.state import State
from appliance.errors import OperationError


def resume(order: Order, state: State, now: float | None = None) -> State:
    """At a boot: return the state with what the schedule of before says."""
    now = time.time() if now is None else now
    before = schedules.load(order)
    after = before.after_boot(now)
    if after != before:
        with contextlib.suppress(OperationError):  # a full disk must not stop the servers
            schedules.save(order, after)
    if after.due(order.fingerprint, now):
        # Something else is asked for now: what was wrong before says nothing about it.
        return replace(_tell(after, state), problem="", next_at=now)
    return _tell(after, state)


def keep(source: Source, publication: Publication, state: State) -> State:
    """Ask the authority if it is time, and publish what it gives. Return how it stands then.

    Raise StoppedError if told to stop meanwhile.
    """
    order = source.require_order()
    schedule = schedules.load(order)
    # A damaged pair may be one that was cut off while it was written, which certbot mends.
    if not schedule.due(order.fingerprint, time.time()) and not (
        state.damaged and not schedule.problem
    ):
        return _remember(publication, _tell(schedule, state))
    return renew(source, publication, state)


def renew(source: Source, publication: Publication, state: State, *, again: bool = False) -> State:
    """Ask the authority now; `again`: for a new certificate whatever there is.

    Raise StoppedError if told to stop meanwhile.
    """
    order = source.require_order()
    before = schedules.load(order)
    schedule, state = _ask(source, publication, before, again=again)
    # certbot mends no key that it cannot read: it fails, or says that all is well.
    if state.damaged or (not schedule.problem and _is_unusable(source, state)):
        from appliance.certificates.acme.attempt import set_certificates_aside

        set_certificates_aside(order)
        schedule, state = _ask(source, publication, schedule, again=False)
    if not schedule.problem and _is_unusable(source, state):
        problem = f"certbot says that all is well, but nothing can be used below {order.directory}"
        schedule = schedule.fail(order.fingerprint, time.time(), problem)
        schedules.save(order, schedule)
    return _remember(publication, _tell(schedule, state))


def _ask(
    source: Source, publication: Publication, before: Schedule, *, again: bool
) -> tuple[Schedule, State]:
    from appliance.certificates.acme.attempt import attempt

    order = source.require_order()
    outcome = attempt(order, slow_dns=before.slow_dns, again=again)
    state = refresh(source, publication)
    now = time.time()
    if outcome.failure:
        slow_dns = outcome.failure.fault == "record-not-found"
        schedule = before.fail(
            order.fingerprint,
            now,
            outcome.failure.message,
            retry_at=outcome.failure.retry_at,
            slow_dns=slow_dns,
        )
    else:
        lifetime = state.facts.not_after - state.facts.not_before
        schedule = before.succeed(
            order.fingerprint, now, lifetime, outcome.remarks, soon=outcome.look_again_soon
        )
    try:
        schedules.save(order, schedule)
    except OperationError:
        if not schedule.problem:  # which says already that the disk is full
            raise
    # After each step every service is asked anew for what it serves.
    return schedule, replace(state, served=False)


def _is_unusable(source: Source, state: State) -> bool:
    """Return whether certbot left nothing that a server can use, although it said all is well."""
    return state.damaged or None in source.stamp()


def _tell(schedule: Schedule, state: State) -> State:
    problem = schedule.problem or (state.problem if state.damaged else "")
    return replace(
        state, problem=problem, remarks=schedule.remarks, next_at=schedule.next_at or None
    )


def _remember(publication: Publication, state: State) -> State:
    if publication.read_state() != state:
        publication.write_state(state)
    return state
