from dataclasses import replace
from pathlib import Path

import pytest

from appliance.certificates.acme import schedule as schedules
from appliance.certificates.acme.schedule import Schedule
from appliance.certificates.source import Order

NOW = 1_900_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
LONG = 90 * DAY


def test_nobody_asked_yet_is_due_at_once() -> None:
    assert Schedule().due("a", NOW)


def test_after_a_success_it_is_asked_twice_a_day_at_no_fixed_time() -> None:
    waits = {Schedule().succeed("a", NOW, LONG).next_at - NOW for _ in range(50)}
    assert all(10.8 * HOUR <= wait <= 13.2 * HOUR for wait in waits)
    assert len(waits) > 1
    schedule = Schedule().succeed("a", NOW, LONG)
    assert not schedule.due("a", NOW + 10 * HOUR)
    assert schedule.due("a", NOW + 14 * HOUR)


def test_a_certificate_of_a_day_is_looked_at_more_often() -> None:
    schedule = Schedule().succeed("a", NOW, DAY)
    assert schedule.next_at - NOW <= 2.2 * HOUR


def test_failures_back_off_and_a_success_forgets_them() -> None:
    schedule, waits = Schedule(), []
    for _ in range(8):
        schedule = schedule.fail("a", NOW, "no")
        waits.append((schedule.next_at - NOW) / MINUTE)
    assert waits == [1, 5, 15, 60, 180, 360, 360, 360]
    schedule = schedule.succeed("a", NOW, LONG)
    assert (schedule.failures, schedule.problem) == (0, "")
    assert schedule.fail("a", NOW, "no").next_at == NOW + MINUTE


def test_the_authority_has_the_last_word_about_when_to_come_back() -> None:
    schedule = Schedule().fail("a", NOW, "no", retry_at=NOW + DAY)
    assert schedule.next_at == NOW + DAY
    assert not schedule.due("a", NOW + DAY - 1)
    assert not schedule.due("something else", NOW + HOUR)
    assert schedule.due("a", NOW + DAY)
    soon = Schedule().fail("a", NOW, "no", retry_at=NOW + 1)
    assert soon.next_at == NOW + MINUTE


def test_another_wish_is_asked_for_at_once() -> None:
    schedule = Schedule().succeed("a", NOW, LONG)
    assert schedule.due("b", NOW)
    failed = Schedule(fingerprint="a", failures=5).fail("b", NOW, "no")
    assert failed.next_at == NOW + MINUTE


def test_a_restart_tries_again_soon_unless_the_authority_said_when() -> None:
    schedule = Schedule()
    for _ in range(6):
        schedule = schedule.fail("a", NOW, "no")
    assert schedule.after_boot(NOW).next_at == NOW + MINUTE
    told = schedule.fail("a", NOW, "no", retry_at=NOW + DAY)
    assert told.after_boot(NOW).next_at == NOW + DAY
    well = schedule.succeed("a", NOW, LONG)
    assert well.after_boot(NOW) == well
    lacking = schedule.succeed("a", NOW, LONG, ("a name is left out",), soon=True)
    assert HOUR * 0.9 <= lacking.next_at - NOW <= HOUR * 1.1
    assert lacking.after_boot(NOW).next_at == NOW + MINUTE


@pytest.mark.parametrize("retry", [None, NOW + DAY])
def test_a_clock_that_was_ahead_does_not_stop_it_for_ever(retry: float | None) -> None:
    ahead = NOW + 400 * DAY
    schedule = Schedule().fail("a", ahead, "no", retry_at=retry and retry + 400 * DAY)
    assert schedule.due("a", NOW)
    assert Schedule().succeed("a", ahead, LONG).due("a", NOW)


def test_a_slow_dns_is_remembered_for_the_next_renewal() -> None:
    schedule = Schedule().fail("a", NOW, "no", slow_dns=True).fail("a", NOW, "something else")
    assert schedule.succeed("a", NOW, LONG).slow_dns


def test_it_is_kept(tmp_path: Path) -> None:
    order = Order("letsencrypt", str(tmp_path), ("example.org",), "a")
    assert schedules.load(order) == Schedule()
    schedule = replace(Schedule().succeed("a", NOW, LONG), remarks=("one",))
    schedules.save(order, schedule)
    assert schedules.load(order) == schedule
    assert (tmp_path / "schedule.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "schedule.json").write_text("{")
    assert schedules.load(order) == Schedule()
