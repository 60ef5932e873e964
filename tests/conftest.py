"""What holds for every test run."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run in which nothing was tested: everything skipped is no success."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    tested = reporter is None or reporter.stats.get("passed")
    if exitstatus == pytest.ExitCode.OK and not tested and not session.config.option.collectonly:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
