#!/usr/bin/env bash
# Recipes that clip gradients, accumulate batches and average weights: the same bytes on any number
# of threads and after kills, and files that hold the weights that were validated.
# AVERAGED is tests/unit/fixture_program.c with FIXTURE_AVERAGED: three batches of 50 an update.
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
averaged=$(realpath -m "${AVERAGED:-$PWD/tests/train/linear_averaged}")
need "$averaged"
enter_scratch

# train DIR OPTION...
train()
{
    "$averaged" train --data shapes --seed 3 --out "$@" >out 2>log ||
        { cat log; complain "training fails: $*"; }
}

# events DIR KIND: lines of metrics.jsonl, without speed
events()
{
    grep "\"event\":\"$2\"" "$1/metrics.jsonl" | sed -E 's/"images_per_second":[^,}]*//'
}

# numbers DIR KIND MEMBER
numbers()
{
    events "$1" "$2" | sed -E "s/.*\"$3\":([^,}]*).*/\1/"
}

train whole --epochs 3 --threads 1
for threads in 2 3; do
    train "$threads" --epochs 3 --threads "$threads"
    for file in last best; do
        cmp "whole/$file.safetensors" "$threads/$file.safetensors" ||
            complain "$file differs on $threads threads"
    done
    cmp <(events whole step) <(events "$threads" step) || complain "steps on $threads threads"
    cmp <(events whole epoch) <(events "$threads" epoch) || complain "epochs on $threads threads"
done

# A step is an update; a shorter last one takes what the epoch has left.
train empty --steps 0
images=$(sed -n 's/.*shapes: \([0-9]*\) training.*/\1/p' empty/report.html)
[ "$(events whole step | wc -l)" -eq $((3 * ((images + 149) / 150))) ] ||
    complain "$images images make another number of steps"

# Norms are measured before they are limited, and some are above the limit.
[ "$(numbers whole step gradient_norm | awk '$1 > 0.5' | wc -l)" -gt 0 ] ||
    complain 'no norm is above the limit'
train frozen --steps 1 --threads 2 --freeze fc.weight
awk -v all="$(numbers whole step gradient_norm | head -n 1)" \
    -v part="$(numbers frozen step gradient_norm)" 'BEGIN { exit !(part > 0 && part < all / 2) }' ||
    complain 'what is frozen counts in the norm'

# Files hold what was validated: eval finds the numbers of the run.
for pair in "last $(numbers whole epoch val_loss | tail -n 1)" \
    "best $(paste <(numbers whole epoch val_top1) <(numbers whole epoch val_loss) |
        sort -s -k1,1gr | head -n 1 | cut -f 2)"; do
    "$averaged" eval --data shapes --weights "whole/${pair% *}.safetensors" --json >out 2>log
    grep -q "\"loss\":${pair#* }," out || complain "eval of $pair gives $(cat out)"
done
train two --steps 1
train two --steps 2 --resume
train both --steps 2
cmp both/last.safetensors two/last.safetensors || complain 'a resumed average differs'

# Another recipe, of the same network, can't go on.
if [ -x "${averaged%_averaged}" ]; then
    "${averaged%_averaged}" train --data shapes --seed 3 --epochs 3 --out whole --resume >out 2>log
    [ $? -eq 1 ] && grep -q 'its number of batches in an update was 3 and is 1 now' log ||
        { cat log; complain 'another recipe goes on'; }
fi

# What bench times is a whole step: three batches, and all that makes new weights of them.
"$averaged" bench --mode train --steps 2 --threads 2 >out 2>log || complain 'bench'
grep -q 'cpu, 3 batches of 50 a step, 2 steps' out || complain "bench: $(head -n 1 out)"
"$averaged" bench --mode train --steps 2 --threads 2 --batch 20 --profile --json >out 2>log ||
    complain 'a profile'
# member NAME: a number of the JSON; row KERNEL NAME: one of that kernel's
member()
{
    sed -E "s/.*\"$1\":([^,}]*).*/\1/" out
}
row()
{
    sed -E "s/.*\"name\":\"$1\"[^}]*\"$2\":([^,}]*).*/\1/" out
}
awk -v rate="$(member images_per_second)" -v seconds="$(member median_seconds)" \
    'BEGIN { exit !(rate * seconds > 59.9 && rate * seconds < 60.1) }' ||
    complain "3 batches of 20 in $(member median_seconds) s are not $(member images_per_second) images/s"
[ "$(row weight_gradient calls) $(row update calls)" = '3 1' ] || complain 'calls of a step'
gradients=$(((3072 + 1) * 16 * 4)) # bytes, those of the weights too
statistics=64
for part in "sum of gradients:3:$((8 * gradients))" "norm of gradients:1:$gradients" \
    "average of weights:1:$((3 * (gradients + statistics)))"; do
    IFS=: read -r name calls bytes <<<"$part"
    [ "$(row "$name" calls) $(row "$name" bytes)" = "$calls $bytes" ] ||
        complain "$name: $(row "$name" calls) calls, $(row "$name" bytes) bytes"
    awk -v seconds="$(row "$name" seconds)" 'BEGIN { exit !(seconds > 0) }' || complain "$name takes no time"
done
"$averaged" bench --mode infer --steps 2 --threads 2 --profile --json >out 2>log || complain 'inference'
grep -q 'of gradients' out && complain 'inference has gradients'
if [ -x "${averaged%_averaged}" ]; then
    "${averaged%_averaged}" bench --mode train --steps 2 --threads 2 --profile >out 2>log ||
        complain 'bench of a plain recipe'
    grep -qE 'of gradients|of weights' out && complain 'a plain recipe has parts'
fi

# Kills, signals and damaged checkpoints.
LINEAR=$averaged bash "$source_dir/tests/train/check_resume.sh" "${1:-8}" || complain 'check_resume.sh'
[ "$failures" -eq 0 ]
