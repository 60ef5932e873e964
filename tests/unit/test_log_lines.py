from appliance.log_lines import Budget, clean


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_secrets_and_control_characters_are_written_out() -> None:
    line = b"GET /sync?access_token=syt_abc&x=1 \x1b[31mred\x07\ttab \xc3\xa8\r"
    assert (
        clean(line) == rb"GET /sync?access_token=<hidden>&x=1 \x1b[31mred\x07" + b"\ttab \xc3\xa8"
    )


def test_who_talks_too_much_is_cut_short_and_it_is_told() -> None:
    clock = Clock()
    budget = Budget(clock)
    first = [b"line"] * 400
    assert budget.spend(first) == first
    assert len(budget.spend([b"line"] * 400)) == 100
    assert budget.spend([b"line"]) == []
    clock.now = 2.5
    assert budget.spend([b"one", b"two", b"three"]) == [b"(lines left out: 301)", b"one", b"two"]
    clock.now = 3600
    assert budget.spend(first) == [b"(lines left out: 1)", *first]


def test_a_quiet_hour_saves_no_more_than_one_burst() -> None:
    clock = Clock()
    budget = Budget(clock)
    clock.now = 3600
    assert len(budget.spend([b"line"] * 10_000)) == 500
