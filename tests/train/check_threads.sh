#!/usr/bin/env bash
# The same seed gives the same bytes, on any number of threads: weights, statistics and losses.
# Run from the build directory, or set RNET to the compiler.
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
examples=$source_dir/examples
need "$rnet"
enter_scratch

# losses DIR: all but the speed
losses()
{
    sed -E 's/,"images_per_second":[^,}]*//' "$1/metrics.jsonl"
}

# check_network FILE OPTION...: in the current directory
check_network()
{
    "$rnet" build "$examples/$1" "${@:2}" -D batch=16 -o m || return 1
    for threads in 1 2 3; do
        ./m train --data shapes --steps 12 --seed 5 --threads "$threads" --out "$threads" >log 2>&1 ||
            { cat log; return 1; }
        losses "$threads" >"$threads.losses"
    done
    if [ "$(grep -c '"event":"step"' 1.losses)" -ne 12 ]; then
        echo 'metrics.jsonl does not hold 12 steps  FAIL'
        return 1
    fi
    for threads in 2 3; do
        for pair in "1/last.safetensors $threads/last.safetensors" "1.losses $threads.losses"; do
            # shellcheck disable=SC2086 # two names
            cmp $pair || failures=$((failures + 1))
        done
    done
    # Another seed gives another result, or the comparison above is blind.
    ./m train --data shapes --steps 12 --seed 6 --threads 2 --out other >log 2>&1 ||
        { cat log; return 1; }
    if cmp -s 1/last.safetensors other/last.safetensors; then
        echo 'seeds 5 and 6 give the same weights  FAIL'
        failures=$((failures + 1))
    fi
}

mkdir iresnet
(cd iresnet && check_network cifar/iresnet.rnet -D depth=20 && [ "$failures" -eq 0 ]) || exit 1

# With dropout, and interrupted: what is dropped is a matter of the step, not of the run.
mkdir wide_resnet
cd wide_resnet || exit 1
check_network beyond/wide_resnet.rnet -D depth=10 -D widen=1 || exit 1
./m train --data shapes --steps 5 --seed 5 --checkpoint-every 5 --out parts >log 2>&1 &&
    ./m train --data shapes --steps 12 --seed 5 --resume --out parts >log 2>&1 ||
    { cat log; exit 1; }
cmp 1/last.safetensors parts/last.safetensors || failures=$((failures + 1))
# Other seeds of the same weights and order drop other values: the first loss differs.
first_loss()
{
    ./m train --data shapes --steps 1 --no-shuffle --no-augment --init other/last.safetensors \
        --seed "$1" --out "seed$1" >log 2>&1 || { cat log; exit 1; }
    grep '"event":"step"' "seed$1/metrics.jsonl" | sed -E 's/.*"loss":([^,]*),.*/\1/'
}
if [ "$(first_loss 1)" = "$(first_loss 2)" ]; then
    echo 'seeds 1 and 2 drop the same values  FAIL'
    failures=$((failures + 1))
fi
[ "$failures" -eq 0 ]
