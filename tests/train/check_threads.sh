#!/usr/bin/env bash
# The same seed gives the same bytes, on any number of threads: weights, statistics and losses.
# Run from the build directory, or set RNET to the compiler.
set -u
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
example=$(cd "$(dirname "$0")/../../examples/cifar" && pwd)/iresnet.rnet || exit 1

if [ ! -x "$rnet" ]; then
    printf 'skipped: there is no %s\n' "$rnet"
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
"$rnet" build "$example" -D depth=20 -D batch=16 -o m || exit 1

# losses DIR: all but the speed
losses()
{
    sed -E 's/,"images_per_second":[^,}]*//' "$1/metrics.jsonl"
}

for threads in 1 2 3; do
    ./m train --data shapes --steps 12 --seed 5 --threads "$threads" --out "$threads" >log 2>&1 ||
        { cat log; exit 1; }
    losses "$threads" >"$threads.losses"
done
if [ "$(grep -c '"event":"step"' 1.losses)" -ne 12 ]; then
    echo 'metrics.jsonl does not hold 12 steps  FAIL'
    exit 1
fi
failures=0
for threads in 2 3; do
    for pair in "1/last.safetensors $threads/last.safetensors" "1.losses $threads.losses"; do
        # shellcheck disable=SC2086 # two names
        cmp $pair || failures=$((failures + 1))
    done
done

# Another seed gives another result, or the comparison above is blind.
./m train --data shapes --steps 12 --seed 6 --threads 2 --out other >log 2>&1 ||
    { cat log; exit 1; }
if cmp -s 1/last.safetensors other/last.safetensors; then
    echo 'seeds 5 and 6 give the same weights  FAIL'
    failures=$((failures + 1))
fi
[ "$failures" -eq 0 ]
