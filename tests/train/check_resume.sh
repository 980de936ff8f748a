#!/usr/bin/env bash
# A training that is killed at random moments and goes on ends in the same bytes as one that was
# never stopped: weights, losses, accuracies. Signals save and exit 75; a damaged checkpoint falls
# back to the one before it.
#
#   check_resume.sh [KILLS]     20 by default
#
# LINEAR is a small classifier, linked by hand (tests/unit/fixture_program.c).
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
linear=$(realpath -m "${LINEAR:-$PWD/tests/train/linear}")
kills=${1:-20}
need "$linear"
enter_scratch
RANDOM=${SEED:-7}

# lines DIR: the steps and epochs of a run, all but their speed
lines()
{
    grep -v '"event":"resume"' "$1/metrics.jsonl" | sed -E 's/,"images_per_second":[^,}]*//'
}

# train DIR OPTION...: a run of the length of all runs here; stderr goes to log
train()
{
    "$linear" train --data cifar10:data --seed 3 --epochs "$epochs" --checkpoint-every 3 --out "$@" \
        >out 2>log
}

# compare DIR: as the run that was never stopped
compare()
{
    local file
    for file in last.safetensors best.safetensors; do
        cmp "whole/$file" "$1/$file" || complain "$1: $file differs"
    done
    diff <(lines whole) <(lines "$1") >difference || {
        head -n 4 difference
        complain "$1: the metrics differ"
    }
}

# records COUNT SEED: as many records of CIFAR-10's binary format, of printable characters
records()
{
    LC_ALL=C awk -v count="$1" -v seed="$2" 'BEGIN {
        srand(seed)
        for (i = 0; i < count; i++) {
            label = 1 + int(9 * rand())
            printf "%c", label
            for (j = 0; j < 3072; j++)
                printf "%c", 32 + 8 * label + int(20 * rand())
        }
    }'
}

mkdir data
records 250 1 >data/data_batch_1.bin
records 100 2 >data/test_batch.bin

# About as long as the kills need.
epochs=$((20 + kills * 3))
train whole --threads 1 || { cat log; exit 1; }
[ "$(grep -c '"event":"epoch"' whole/metrics.jsonl)" -eq "$epochs" ] || complain 'epochs are missing'

for ((i = 0; i < kills; i++)); do
    "$linear" train --data cifar10:data --seed 3 --epochs "$epochs" --checkpoint-every 3 --out killed \
        --threads $((i % 3 + 1)) --resume >out 2>log &
    sleep "0.$((RANDOM % 400 + 100))"
    kill -KILL $! 2>>log
    wait $! 2>>log
done
train killed --resume || { cat log; complain 'the last resume failed'; }
compare killed
printf '%d kills; the last runs began at the steps %s\n' "$kills" \
    "$(sed -n 's/.*"resume","step":\([0-9]*\)}/\1/p' killed/metrics.jsonl | tr '\n' ' ')"
# Two checkpoints, two weight files, two of metrics, run.json, the report: no temporary file is left
# behind.
[ "$(find killed -type f | wc -l)" -eq 8 ] || { ls killed; complain 'other files than these eight'; }

for signal in TERM INT; do
    # An ignored SIGINT is what a background job of a script begins with; env takes that back.
    env --default-signal=INT "$linear" train --data cifar10:data --seed 3 --epochs "$epochs" \
        --out "$signal" >out 2>log &
    while [ ! -s "$signal/metrics.jsonl" ] && kill -0 $! 2>>log; do sleep 0.05; done
    kill "-$signal" $!
    wait $!
    status=$?
    [ "$status" -eq 75 ] || { cat log; complain "SIG$signal ends with $status, not 75"; }
    [ -s "$signal/last.safetensors" ] || complain "SIG$signal leaves no weights"
    train "$signal" --resume || { cat log; complain "no resume after SIG$signal"; }
    compare "$signal"
done

# The newest checkpoint is cut short: the run goes on from the one before, and says so.
cp -r whole cut
newest=$(ls cut/checkpoint-* | tail -n 1)
truncate -s -100 "$newest"
train cut --resume || { cat log; complain 'a cut checkpoint is not survived'; }
grep -q 'taking the checkpoint before' log || { cat log; complain 'the fallback is not said'; }
compare cut
# One flipped byte.
cp -r whole flipped
newest=$(ls flipped/checkpoint-* | tail -n 1)
printf 'X' | dd of="$newest" bs=1 seek=5000 conv=notrunc status=none
train flipped --resume || complain 'a flipped byte is not survived'
grep -q 'taking the checkpoint before' log || complain 'the fallback is not said'
compare flipped
# Both of them: one message, exit 1, and nothing is thrown away.
for file in cut/checkpoint-*; do truncate -s 1000 "$file"; done
train cut --resume
[ $? -eq 1 ] || complain 'two broken checkpoints are not an error'
cmp -s whole/last.safetensors cut/last.safetensors || complain 'the weights were touched'

# What must not change.
"$linear" train --data cifar10:data --seed 4 --epochs "$epochs" --out whole --resume >out 2>log
[ $? -eq 1 ] || complain 'another seed is not an error'
train whole
[ $? -eq 1 ] || complain 'a second run in one directory is not an error'
[ "$failures" -eq 0 ]
