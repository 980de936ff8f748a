#!/usr/bin/env bash
# The measuring scripts: that they run, and that their picture shows what was profiled. No figures.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"
command -v python3 >/dev/null || { echo 'skipped: there is no python3'; exit 77; }
bench=$source_dir/bench

expect_clean python3 "$bench/table.py" --list
for row in cifar_iresnet164_train imagenet_iresnet50_latency build_depth3002 kernels; do
    grep -q "^$row " out || fail "table.py has no row $row"
done
expect 1 'no row nonsense' python3 "$bench/table.py" --rows nonsense

# The peer's process is one of ours here: a protocol without PyTorch.
expect_clean "$rnet" build "$source_dir/examples/cifar/resnet.rnet" -D depth=11 -D batch=4 -o m
cat >turns.py <<END
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "$bench")
from turns import Player, play
command = ["./m", "bench", "--mode", "infer", "--turns"]
one, two, none = Player("one", command), Player("two", command), Player("none", ["./missing"])
wrong = Player("wrong", ["./m", "bench", "--turns"])
play([one, two, none, wrong], 3)
assert [len(player.rounds) for player in (one, two, none, wrong)] == [3, 3, 0, 0]
assert all(seconds > 0 for player in (one, two) for times in player.rounds for seconds in times)
# Whoever does not answer is ended, with what it has started, and the others play on.
mute = Player("mute", ["sh", "-c", "sleep 600; :"], answer_seconds=1)
again = Player("again", command)
play([mute, again], 1)
assert mute.problem == "no answer in 1 s" and not mute.rounds and len(again.rounds) == 1, mute.problem
assert one.peak_bytes > 0 and "missing" in none.problem and "mode" in wrong.problem, wrong.problem
END
expect_clean python3 turns.py

# Every kernel that takes a thousandth of the time is a dot, and the picture is well-formed.
expect 0 ' conv_k3s1_32x32x16' python3 "$bench/profile_network.py" --rnet "$rnet" --steps 2 \
    "$source_dir/examples/cifar/resnet.rnet" -D depth=11 -D batch=4 --svg p.svg --json p.json
cat >check.py <<'END'
import json
import xml.etree.ElementTree
root = xml.etree.ElementTree.parse("p.svg").getroot()
circles = [e for e in root.iter() if e.tag.endswith("circle") and "dot" in e.get("class").split()]
kernels = [k for k in json.load(open("p.json"))["kernels"] if k["share"] >= 0.001]
assert len(circles) == len(kernels) > 10, (len(circles), len(kernels))
assert abs(sum(k["share"] for k in json.load(open("p.json"))["kernels"]) - 1) < 1e-3
END
expect_clean python3 check.py
finish
