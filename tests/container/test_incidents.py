"""What a newcomer broke: two containers on one volume, and workers without their master."""

from .appliances import Appliance, until
from .conftest import Boot
from .http_client import Account
from .volumes import Volume


def test_second_container_on_the_same_data_is_refused(boot: Boot, volume: Volume) -> None:
    first = boot(Appliance(data=volume))
    alice = Account.register(first.matrix, "alice")
    with_the_same_data = Appliance(data=volume)
    try:
        ending = with_the_same_data.run_to_end()
    finally:
        with_the_same_data.stop()
    assert ending.status == 2
    assert "/data: is in use by another container" in ending.last_line
    # Looking is allowed.
    assert first.command("check") == "configuration is valid\n"
    room = alice.create_room()
    assert first.shut_down() == 0
    first.boot()
    assert alice.send(room, "still there") in alice.read(room)


def test_nginx_comes_back_although_its_workers_outlive_it(boot: Boot) -> None:
    appliance = boot(Appliance().expect(r".", "nginx is killed"))
    until(lambda: appliance.program("nginx").state == "running", "nginx runs")
    killed = appliance.program("nginx").pid
    assert killed
    appliance.kill_process(killed)

    def another_runs() -> bool:
        nginx = appliance.program("nginx")
        return nginx.state == "running" and nginx.pid != killed

    until(another_runs, "another master runs")
    workers = appliance.run("pgrep", "-P", str(appliance.program("nginx").pid)).split()
    everyone = appliance.run("pgrep", "-u", "nginx").split()
    assert sorted([*workers, str(appliance.program("nginx").pid)]) == sorted(everyone)
    assert appliance.is_healthy()
