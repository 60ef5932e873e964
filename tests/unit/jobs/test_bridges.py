from appliance.jobs.bridges import Watch
from appliance.probe import Check

WELL = Check(healthy=True, detail="answers in 1 ms")
UNWELL = Check(healthy=False, detail="answers with status 500")


def test_nothing_is_said_before_the_deadline() -> None:
    watch = Watch()
    assert watch.judge({"whatsapp": UNWELL, "telegram": WELL}, 1000).detail == "1 of 2 connected"
    assert watch.judge({"whatsapp": UNWELL, "telegram": WELL}, 1059).ok


def test_after_the_deadline_it_is_told_with_where_to_look() -> None:
    watch = Watch()
    watch.judge({"whatsapp": UNWELL, "telegram": WELL}, 1000)
    finding = watch.judge({"whatsapp": UNWELL, "telegram": WELL}, 1130)
    assert not finding.ok
    assert finding.detail == (
        "whatsapp has not been connected for 2 min (answers with status 500); see "
        "`appliance bridge logs whatsapp`"
    )


def test_one_good_answer_begins_anew() -> None:
    watch = Watch()
    watch.judge({"whatsapp": UNWELL}, 1000)
    watch.judge({"whatsapp": WELL}, 1050)
    assert watch.judge({"whatsapp": UNWELL}, 1070).ok
    assert not watch.judge({"whatsapp": UNWELL}, 1130).ok
