"""How people get into a trial, where nobody needs an invitation and the page works all the same."""

import json

from .appliances import Appliance
from .browser import open_browser
from .test_cli import attempt
from .test_join import PASSWORD, any_name, open_page, unexpected, wait_for


def test_in_a_trial_where_anybody_may_register(trial: Appliance) -> None:
    name = any_name()
    made = trial.run("appliance", "invite", name, "--json")
    link = str(json.loads(made)["link"])
    assert link.endswith(f"#{name}")
    with open_browser(trial) as opened:
        page, seen = open_page(opened, f"{trial.matrix.url}/join/{link.rpartition('/')[2]}")
        wait_for(page, "This name is free.")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("The password again").fill(PASSWORD)
        page.get_by_role("button", name="Join").click()
        wait_for(page, f"Welcome, @{name}:{trial.server_name}")
        assert unexpected(seen) == []
    refused = attempt(trial, "invite", "--admin")
    assert (refused.status, "MATRIX_REGISTRATION is open" in refused.complaints) == (1, True)
