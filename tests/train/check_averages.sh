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

# Kills, signals and damaged checkpoints.
LINEAR=$averaged bash "$source_dir/tests/train/check_resume.sh" "${1:-8}" || complain 'check_resume.sh'
[ "$failures" -eq 0 ]
