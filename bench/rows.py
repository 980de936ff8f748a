"""The rows of the table: what each compiles, who takes part, and what the bar is."""
import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

from torch_peer import COMPILED, EAGER, torch_players
from turns import ANSWER_SECONDS, Player, play, time_limit

GIB = 2**30
BUILD_ROUNDS = 5
DEEP_STEPS = 2


@dataclass
class Setting:
    """What all rows share."""
    rnet: str
    python: str  # with torch; None: no peer
    threads: int
    rounds: int
    tree: str
    folder: str  # for executables


@dataclass
class Network:
    """An example at some depth and batch."""
    data: str
    family: str
    depth: int
    batch: int

    @property
    def size(self):
        return 32 if self.data == "cifar" else 224

    def arguments(self, setting):
        """FILE and options for rnet."""
        return [os.path.join(setting.tree, "examples", self.data, self.family + ".rnet"),
                "-D", f"depth={self.depth}", "-D", f"batch={self.batch}"]

    def executable(self, setting):
        return os.path.join(setting.folder, f"{self.family}{self.depth}_{self.batch}")


class RowError(Exception):
    """Why a row has no figures."""


# ---- rnet ---------------------------------------------------------------------------------------

def run_measured(command):
    """Runs a command to its end: its seconds and the most memory it had."""
    with open(os.devnull, "wb") as nothing:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=nothing, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        with time_limit(process) as expired:
            errors = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if expired.is_set():
        raise RowError(f"{command[0]} took more than {ANSWER_SECONDS} s")
    if process.returncode:
        raise RowError((errors.strip().splitlines() or [f"{command[0]} failed"])[0][:200])
    return seconds, usage.ru_maxrss * 1024


def build(network, setting, *more):
    """Compiles the network; seconds, and the compiler's peak memory."""
    return run_measured([setting.rnet, "build", *network.arguments(setting), "-o",
                         network.executable(setting), *more])


def reported_parameters(network, setting):
    text = subprocess.run([setting.rnet, "report", *network.arguments(setting), "--json"],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(text)["parameters"]


def rnet_player(network, mode, setting):
    return Player("rnet", [network.executable(setting), "bench", "--mode", mode, "--threads",
                           str(setting.threads), "--batch", str(network.batch), "--turns"])


# ---- steps in turns -----------------------------------------------------------------------------

def all_times(player):
    return [seconds for times in player.rounds for seconds in times]


def median_time(player):
    return statistics.median(all_times(player))


def round_ratios(theirs, ours):
    return [statistics.median(a) / statistics.median(b)
            for a, b in zip(theirs.rounds, ours.rounds)]


def check_parameters(players, network, setting):
    """The peer must be the same network."""
    expected = reported_parameters(network, setting)
    for player in players:
        if player.facts.get("parameters", expected) != expected:
            raise RowError(f"the peer has {player.facts['parameters']} parameters, "
                           f"rnet {expected}")


def peers(network, mode, setting):
    if setting.python is None:
        return []
    forms = {**EAGER, **COMPILED} if mode == "infer" else EAGER
    work = {"family": network.family, "data": network.data, "depth": network.depth,
            "size": network.size, "batch": network.batch, "mode": mode}
    return torch_players(setting.python, work, setting.threads, forms)


def player_record(player):
    return {"name": player.name, "rounds": player.rounds, "peak_bytes": player.peak_bytes,
            "facts": player.facts, "problem": player.problem}


@dataclass
class StepRow:
    """Steps of one network: our time, the peer's best, and the memory of both."""
    title: str
    network: Network
    mode: str
    bar: float = None
    stretch: float = None
    memory_bar: float = None
    memory_stretch: float = None

    def run(self, setting):
        build(self.network, setting)
        ours = rnet_player(self.network, self.mode, setting)
        theirs = peers(self.network, self.mode, setting)
        play([ours, *theirs], setting.rounds)
        if not ours.rounds:
            raise RowError(ours.problem or "no times")
        check_parameters(theirs, self.network, setting)
        played = [player for player in theirs if player.rounds]
        yield self.speed(ours, played, theirs)
        yield self.memory(ours, played)

    def speed(self, ours, played, theirs):
        result = {"ours": median_time(ours), "unit": "s", "bar": self.bar,
                  "stretch": self.stretch, "players": [player_record(ours)]}
        result["players"] += [player_record(player) for player in theirs]
        problems = [f"{player.name}: {player.problem}" for player in theirs if player.problem]
        if problems:
            result["note"] = "; ".join(problems)
        if played:
            best = min(played, key=median_time)
            ratios = round_ratios(best, ours)
            result.update(theirs=median_time(best), form=best.name,
                          ratio=median_time(best) / median_time(ours),
                          ratio_range=(min(ratios), max(ratios)))
        return result

    def memory(self, ours, played):
        result = {"suffix": ", memory", "ours": ours.peak_bytes, "unit": "B",
                  "bar": self.memory_bar, "stretch": self.memory_stretch,
                  "smaller_is_better": True}
        eager = [player for player in played if player.name in EAGER]
        if eager:
            least = min(eager, key=lambda player: player.peak_bytes)
            result.update(theirs=least.peak_bytes, form=least.name,
                          ratio=ours.peak_bytes / least.peak_bytes)
        return result


# ---- compile time -------------------------------------------------------------------------------

@dataclass
class BuildRow:
    """rnet build against the first step of torch.compile, whose caches are empty."""
    title: str
    network: Network
    mode: str
    bar: float
    stretch: float

    def run(self, setting):
        seconds = statistics.median(build(self.network, setting)[0] for _ in range(BUILD_ROUNDS))
        result = {"ours": seconds, "unit": "s", "bar": self.bar, "stretch": self.stretch,
                  "smaller_is_better": True}
        if setting.python is not None:
            result.update(self.peer(setting))
            if result.get("theirs"):
                result["ratio"] = seconds / result["theirs"]
        yield result

    def peer(self, setting):
        cache = {"TORCHINDUCTOR_CACHE_DIR": os.path.join(setting.folder, "inductor"),
                 "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
        work = {"family": self.network.family, "data": self.network.data,
                "depth": self.network.depth, "size": self.network.size,
                "batch": self.network.batch, "mode": self.mode}
        player = torch_players(setting.python, work, setting.threads,
                               {"compiled channels_last": ("channels_last", True)}, cache)[0]
        play([player], 1)
        if player.problem:
            return {"note": player.problem}
        return {"theirs": player.facts["first_step_seconds"], "form": player.name,
                "players": [player_record(player)]}


@dataclass
class DepthRow:
    """rnet build of a deep network against a shallow one: seconds and the compiler's memory."""
    title: str
    deep: Network
    shallow: Network
    bar: float
    stretch: float
    memory_bar: float
    memory_stretch: float

    def run(self, setting):
        deep, shallow = [], []
        for _ in range(BUILD_ROUNDS):
            deep.append(build(self.deep, setting))
            shallow.append(build(self.shallow, setting))
        for which, unit, bar, stretch in ((0, "s", self.bar, self.stretch),
                                          (1, "B", self.memory_bar, self.memory_stretch)):
            ours = statistics.median(run[which] for run in deep)
            base = statistics.median(run[which] for run in shallow)
            yield {"suffix": ", memory" if which else "", "ours": ours, "theirs": base,
                   "form": f"rnet, depth {self.shallow.depth}", "unit": unit,
                   "ratio": ours / base, "bar": bar, "stretch": stretch,
                   "smaller_is_better": True}


# ---- the deepest network ------------------------------------------------------------------------

@dataclass
class DeepRow:
    """One training step that PyTorch has no memory for; then the same under memory limits."""
    title: str
    network: Network
    memory_bar: float  # bytes
    limits: tuple      # (size, bar and stretch of the time against no limit)

    def step(self, setting, *build_options):
        build(self.network, setting, *build_options)
        ours = rnet_player(self.network, "train", setting)
        play([ours], DEEP_STEPS)
        if not ours.rounds:
            raise RowError(ours.problem or "no times")
        return min(all_times(ours)), ours.peak_bytes

    def run(self, setting):
        seconds, peak = self.step(setting)
        yield {"ours": seconds, "unit": "s"}
        yield {"suffix": ", memory", "ours": peak, "theirs": self.memory_bar, "form": "the bar",
               "unit": "B", "ratio": peak / self.memory_bar, "bar": 1.0,
               "smaller_is_better": True}
        for size, bar in self.limits:
            yield from self.limited(setting, size, bar, seconds)

    def limited(self, setting, size, bar, unlimited):
        name = f", limit {size // GIB} GiB"
        try:
            seconds, peak = self.step(setting, "--memory-limit", f"{size // GIB}GiB")
        except RowError as error:
            yield {"suffix": name, "unit": "s", "note": str(error)}
            return
        yield {"suffix": name, "ours": seconds, "theirs": unlimited, "form": "no limit",
               "unit": "s", "ratio": seconds / unlimited, "bar": bar, "smaller_is_better": True}
        yield {"suffix": name + ", memory", "ours": peak, "theirs": size, "form": "the limit",
               "unit": "B", "ratio": peak / size, "bar": 1.0, "smaller_is_better": True}


# ---- single kernels -----------------------------------------------------------------------------

@dataclass
class KernelsRow:
    """The 1x1 and 3x3 convolutions of bench/kernels: the median share of the nearer limit."""
    title: str
    peak_bar: float
    memory_bar: float

    def run(self, setting):
        program = os.path.join(os.path.dirname(setting.rnet), "bench", "kernels")
        try:
            text = subprocess.run([program, "--json"], check=True, capture_output=True,
                                  text=True, timeout=ANSWER_SECONDS).stdout
        except subprocess.TimeoutExpired as error:
            raise RowError(f"{program} took more than {ANSWER_SECONDS} s") from error
        except (OSError, subprocess.CalledProcessError) as error:
            raise RowError(f"{error}: make -C build bench/kernels") from error
        kernels = [kernel for kernel in json.loads(text)["kernels"] if kernel["counts"]]
        for bound, bar in (("arithmetic", self.peak_bar), ("memory", self.memory_bar),
                           ("filtering", None)):
            shares = sorted(kernel["of_limit"] for kernel in kernels if kernel["bound"] == bound)
            if shares:
                yield {"suffix": f", {bound}", "ours": statistics.median(shares),
                       "unit": "%", "ratio": statistics.median(shares), "bar": bar,
                       "form": f"{len(shares)} kernels",
                       "ratio_range": (shares[0], shares[-1])}


def run_row(row, setting):
    """Measures a row: the results, each a line of the table."""
    name = next(key for key, value in ROWS.items() if value is row)
    try:
        for result in row.run(setting):
            yield {**result, "row": name, "name": name + result.get("suffix", "")}
    except RowError as error:
        yield {"row": name, "name": name, "unit": "s", "note": str(error)}


def cifar(family, depth, batch=64):
    return Network("cifar", family, depth, batch)


def imagenet(family, batch):
    return Network("imagenet", family, 50, batch)


ROWS = {
    "cifar_iresnet164_train": StepRow(
        "CIFAR iResNet-164, batch 64, training step", cifar("iresnet", 164), "train", 2.0, 2.5,
        0.40, 0.36),
    "cifar_resnet164_train": StepRow(
        "CIFAR ResNet-164, batch 64, training step", cifar("resnet", 164), "train", 1.8, 2.3),
    "cifar_iresnet164_infer": StepRow(
        "CIFAR iResNet-164, batch 64, inference", cifar("iresnet", 164), "infer", 1.6, 2.2),
    "imagenet_iresnet50_train": StepRow(
        "iResNet-50, 224x224, batch 8, training step", imagenet("iresnet", 8), "train", 1.5, 1.8),
    "imagenet_iresnet50_infer": StepRow(
        "iResNet-50, 224x224, batch 8, inference", imagenet("iresnet", 8), "infer", 1.25, 1.4),
    "imagenet_iresnet50_latency": StepRow(
        "iResNet-50, 224x224, batch 1, inference", imagenet("iresnet", 1), "infer", 1.1, 1.25),
    "imagenet_iresgroup50_train": StepRow(
        "iResGroup-50, 224x224, batch 4, training step", imagenet("iresgroup", 4), "train", 2.0,
        2.5),
    "imagenet_resgroupfix50_train": StepRow(
        "ResGroupFix-50, 224x224, batch 4, training step", imagenet("resgroupfix", 4), "train",
        2.0, 2.5),
    "build_cifar_iresnet164": BuildRow(
        "rnet build of CIFAR iResNet-164 against torch.compile's first training step",
        cifar("iresnet", 164), "train", 1 / 30, 1 / 100),
    "build_depth3002": DepthRow(
        "rnet build of CIFAR iResNet-3002 against depth 164", cifar("iresnet", 3002),
        cifar("iresnet", 164), 1.5, 1.1, 2.0, 1.1),
    "cifar_iresnet3002_train": DeepRow(
        "CIFAR iResNet-3002, batch 64, one training step; under --memory-limit",
        cifar("iresnet", 3002), 16 * GIB, ((4 * GIB, 1.4), (2 * GIB, 1.5))),
    "kernels": KernelsRow(
        "1x1 and 3x3 convolutions in three passes, of the machine's limits", 0.8, 0.7),
    # Beyond the table.
    "cifar_resnet164_infer": StepRow(
        "CIFAR ResNet-164, batch 64, inference", cifar("resnet", 164), "infer"),
    "cifar_iresnet1001_train": StepRow(
        "CIFAR iResNet-1001, batch 16, training step", cifar("iresnet", 1001, 16), "train"),
    "cifar_iresnet3002_train_16": StepRow(
        "CIFAR iResNet-3002, batch 16, training step", cifar("iresnet", 3002, 16), "train"),
    "imagenet_resnet50_train": StepRow(
        "ResNet-50, 224x224, batch 8, training step", imagenet("resnet", 8), "train"),
    "imagenet_resnet50_infer": StepRow(
        "ResNet-50, 224x224, batch 8, inference", imagenet("resnet", 8), "infer"),
    "imagenet_resgroup50_train": StepRow(
        "ResGroup-50, 224x224, batch 4, training step", imagenet("resgroup", 4), "train"),
    "imagenet_iresgroupfix50_train": StepRow(
        "iResGroupFix-50, 224x224, batch 4, training step", imagenet("iresgroupfix", 4), "train"),
    "imagenet_resnext50_train": StepRow(
        "ResNeXt-50 32x4d, 224x224, batch 4, training step", imagenet("resnext", 4), "train"),
}
TABLE = list(ROWS)[:list(ROWS).index("cifar_resnet164_infer")]
