"""Processes that take turns at the same work.

Every process is started and warmed up, one after the other, before the first turn and stays alive
to the last, so each has its memory, its threads and its generated code at hand; the others sleep
meanwhile. A turn is as many steps as fill BURST_SECONDS, one at least. Where it is more than one the
first does not count: it finds the caches as the process before left them. Whoever keeps the others
waiting for longer than ANSWER_SECONDS is ended.
"""
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

BURST_SECONDS = 0.25
SETTLE_SECONDS = 0.02  # until the threads of the process before have stopped spinning
ANSWER_SECONDS = 1200  # far more than torch.compile takes for a first training step


@contextlib.contextmanager
def time_limit(process, seconds=ANSWER_SECONDS):
    """Kills a process that leads a group, and all of the group, where the body takes longer or is
    interrupted; the value is an event, set if it took longer."""
    expired = threading.Event()

    def kill():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def expire():
        expired.set()
        kill()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    except BaseException:
        kill()
        raise
    finally:
        timer.cancel()


class Player:
    """A process that makes one step for each line it reads, and answers with seconds."""

    def __init__(self, name, command, environment=None, answer_seconds=ANSWER_SECONDS):
        self.answer_seconds = answer_seconds
        self.name, self.facts, self.rounds, self.peak_bytes = name, {}, [], 0
        self.command, self.environment = command, {**os.environ, **(environment or {})}
        self.errors = tempfile.TemporaryFile("w+")
        self.process = self.problem = None

    def read(self):
        """A line of the process; None, and a problem, where it has ended or takes too long."""
        if self.process is None:
            return None
        with time_limit(self.process, self.answer_seconds) as expired:
            line = self.process.stdout.readline()
        if line and not expired.is_set():
            return line
        status = self.close()
        self.errors.seek(0)
        last = (self.errors.read().strip().splitlines() or [f"ended with status {status}"])[-1]
        self.problem = (f"no answer in {self.answer_seconds:g} s" if expired.is_set()
                        else last[:120])
        return None

    def warm_up(self):
        """Starts the process and waits until it has made its first steps."""
        started = time.perf_counter()
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                text=True, env=self.environment, start_new_session=True)
        except OSError as error:
            self.problem = str(error)
        line = self.read()
        if line:
            self.facts = json.loads(line)
            self.facts["ready_seconds"] = time.perf_counter() - started

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.read()
        return float(line) if line else None

    def turn(self):
        """One turn; its times are those of a new round."""
        time.sleep(SETTLE_SECONDS)
        times, start = [], time.perf_counter()
        while not times or time.perf_counter() - start < BURST_SECONDS:
            seconds = self.step()
            if seconds is None:
                return
            times.append(seconds)
        self.rounds.append(times[1:] if len(times) > 1 else times)

    def close(self):
        """Ends the process; afterwards peak_bytes is the most memory that it had."""
        if self.process is None:
            return None
        with time_limit(self.process, self.answer_seconds):
            self.process.stdin.close()
            _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_bytes = usage.ru_maxrss * 1024
        status, self.process = self.process.returncode, None
        return status

    @property
    def is_playing(self):
        return self.process is not None


def play(players, rounds):
    """Lets the players take turns, A B C A B C ..., and ends them."""
    for player in players:
        player.warm_up()
    for _ in range(rounds):
        for player in players:
            if player.is_playing:
                player.turn()
    for player in players:
        if player.is_playing:
            player.close()
