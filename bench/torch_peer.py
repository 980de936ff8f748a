"""PyTorch as the peer: which of its forms take part, and the processes that run them."""
import functools
import json
import os
import subprocess

from turns import Player

HERE = os.path.dirname(os.path.abspath(__file__))
# name: (memory format, compiled)
EAGER = {"contiguous": ("contiguous", False), "channels_last": ("channels_last", False)}
COMPILED = {"compiled": ("contiguous", True), "compiled channels_last": ("channels_last", True)}


@functools.lru_cache
def torch_version(python):
    """The version of torch that `python` has, or None."""
    try:
        return subprocess.run([python, "-c", "import torch; print(torch.__version__)"], check=True,
                              capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def torch_players(python, work, threads, forms, environment=None):
    """A process for each form; `work` is what torch_step.py takes, without the form."""
    players = []
    for name, (memory_format, compiled) in forms.items():
        text = json.dumps({**work, "threads": threads, "format": memory_format,
                           "compile": compiled})
        players.append(Player(name, [python, os.path.join(HERE, "torch_step.py"), text],
                              environment))
    return players
