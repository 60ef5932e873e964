"""PID 1: supervisor, with the few things it lacks.

Starts programs at once instead of after its first poll, hears signals at once, writes output under
the program's name, and ends with status 1 when an essential program gave up. Knows no program.
"""

import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any, ClassVar

from supervisor import dispatchers, events
from supervisor.loggers import LevelsByName
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

from appliance.errors import EXIT_FAILED
from appliance.log_lines import Budget, clean
from appliance.paths import PROGRAMS, SUPERVISOR_CONFIGURATION

_STOPPING = (signal.SIGTERM, signal.SIGINT)
# What supervisor handles (ServerOptions.setsignals), and so what its children begin with.
_HANDLED = (*_STOPPING, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR2)


class NamedOutput(dispatchers.POutputDispatcher):  # type: ignore[misc]
    """A program's output, line by line: to its own file, and to ours under its name."""

    budgets: ClassVar[dict[str, Budget]] = {}
    _unfinished = b""

    def _log(self, data: bytes) -> None:
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        if self.closed and self._unfinished:
            lines.append(self._unfinished)
        name = self.process.config.name
        if name in self.budgets:
            lines = self.budgets[name].spend(lines)
        lines = [clean(line) for line in lines]
        super()._log(b"".join(line + b"\n" for line in lines))
        _write_lines(name, lines)


def _write_lines(name: str, lines: list[bytes]) -> None:
    prefix = f"{name:<9}| ".encode()
    text = b"".join(prefix + line + b"\n" for line in lines)
    while text:
        text = text[os.write(1, text) :]


class Wakeup:
    """Ends supervisor's poll when a signal came; by PEP 475 the poll would go on."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        self.fd = self._receiver.fileno()

    def readable(self) -> bool:
        """Supervisor asks; always."""
        return True

    def writable(self) -> bool:
        """Supervisor asks; never."""
        return False

    def handle_read_event(self) -> None:
        """Empty the socket."""
        self._receiver.recv(4096)

    def handle_error(self) -> None:
        """Let what went wrong be seen."""
        raise  # noqa: PLE0704 - supervisor calls this while it handles the exception


class Options(ServerOptions):  # type: ignore[misc]
    """Supervisor's options, with the wake-up among the sockets it polls."""

    def openhttpservers(self, supervisord: Supervisor) -> None:
        """Open the socket without the warning that it asks no password: its mode says who may."""
        level, self.logger.level = self.logger.level, LevelsByName.CRIT + 1
        super().openhttpservers(supervisord)
        self.logger.level = level

    def fork(self) -> int:
        """Fork so that a signal which tells the child to stop cannot reach our own handlers there.

        Until its exec the child would note it down as PID 1 does, and nobody would read that.
        """
        handled = {number for number in _HANDLED if callable(signal.getsignal(number))}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, handled)
        process: int = super().fork()
        if process == 0:
            for number in handled:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return process

    def get_socket_map(self) -> dict[int, Any]:
        """Return the dispatchers that belong to no program, in the map that new ones join."""
        wakeup = Wakeup()
        socket_map: dict[int, Any] = super().get_socket_map()
        socket_map[wakeup.fd] = wakeup
        return socket_map


class Appliance(Supervisor):  # type: ignore[misc]
    """Supervisor that knows which programs it cannot do without."""

    def __init__(self, options: ServerOptions, programs: dict[str, dict[str, Any]]) -> None:
        super().__init__(options)
        self._programs = programs
        self.gave_up: str | None = None

    def runforever(self) -> None:
        """Start everything at once, then do what supervisor does."""
        events.subscribe(events.ProcessStateFatalEvent, self._on_fatal)
        events.subscribe(events.ProcessStateExitedEvent, self._on_exit)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        self.handle_signal()
        if self.options.mood == SupervisorStates.RUNNING:  # not told to stop meanwhile
            for group in sorted(self.process_groups.values()):
                group.transition()
        super().runforever()

    def ordered_stop_groups_phase_1(self) -> None:
        """Stop what asks others until its end, and those when it is gone."""
        leaving = [
            process
            for group in self.stop_groups
            for process in group.get_unstopped_processes()
            if self._programs[process.config.name]["leaves_first"]
        ]
        if not leaving:
            super().ordered_stop_groups_phase_1()
        for process in leaving:
            if process.get_state() in (ProcessStates.RUNNING, ProcessStates.STARTING):
                process.stop()
            elif process.get_state() == ProcessStates.BACKOFF:
                process.give_up()

    def _on_fatal(self, event: events.ProcessStateEvent) -> None:
        name = event.process.config.name
        self._end_if_essential(name, "could not be started again and again")

    def _on_exit(self, event: events.ProcessStateExitedEvent) -> None:
        name = event.process.config.name
        if not event.expected and self._programs[name]["once"]:
            self._end_if_essential(name, f"failed with status {event.process.exitstatus}")

    def _end_if_essential(self, name: str, what: str) -> None:
        if self._programs[name]["essential"] and self.gave_up is None:
            self.gave_up = f"{name} {what}; its last lines above say why"
            self.options.mood = SupervisorStates.SHUTDOWN


def await_boot(boot: int) -> None:
    """Wait for the process that boots. Exit as it did if it failed, and with 0 if told to stop."""
    told_to_stop = False

    def stop(*_: object) -> None:
        nonlocal told_to_stop
        told_to_stop = True
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(boot, signal.SIGTERM)

    for number in _STOPPING:
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    status = os.waitstatus_to_exitcode(os.waitpid(boot, 0)[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    if told_to_stop:
        sys.exit(0)
    if status < 0:
        print(f"appliance: not started: killed by signal {-status}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_FAILED)
    if status:
        sys.exit(status)


def main() -> None:
    """Wait for the boot, whose process is the only argument, then run what it wrote."""
    await_boot(int(sys.argv[1]))
    programs = json.loads(Path(PROGRAMS).read_text())
    NamedOutput.budgets = {name: Budget() for name in programs if programs[name]["talkative"]}
    dispatchers.POutputDispatcher = NamedOutput
    options = Options()
    options.realize(["-c", SUPERVISOR_CONFIGURATION])
    options.first, options.test = True, False
    appliance = Appliance(options, programs)
    with contextlib.suppress(asyncore.ExitNow):
        appliance.main()
    if appliance.gave_up:
        # On the stream of all that was said before, or it might not be the last line.
        print(f"appliance: stopped: {appliance.gave_up}", flush=True)  # noqa: T201
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
