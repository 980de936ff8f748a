"""Processes that take turns at the same work.

Every process is started and warmed up, one after the other, before the first turn and stays alive
to the last, so each has its memory, its threads and its generated code at hand; the others sleep meanwhile. A turn is as
many steps as fill BURST_SECONDS, one at least. Where it is more than one the first does not count:
it finds the caches as the process before left them.
"""
import json
import os
import subprocess
import tempfile
import time

BURST_SECONDS = 0.25
SETTLE_SECONDS = 0.02  # until the threads of the process before have stopped spinning


class Player:
    """A process that makes one step for each line it reads, and answers with seconds."""

    def __init__(self, name, command, environment=None):
        self.name, self.facts, self.rounds, self.peak_bytes = name, {}, [], 0
        self.command, self.environment = command, {**os.environ, **(environment or {})}
        self.errors = tempfile.TemporaryFile("w+")
        self.process = self.problem = None

    def read(self):
        """A line of the process; None, and a problem, where it has ended."""
        line = self.process.stdout.readline() if self.process else ""
        if line:
            return line
        if self.process:
            status = self.close()
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or [f"ended with status {status}"])[-1]
            self.problem = last[:120]
        return None

    def warm_up(self):
        """Starts the process and waits until it has made its first steps."""
        started = time.perf_counter()
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                text=True, env=self.environment)
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
