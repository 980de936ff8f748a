#!/usr/bin/env bash
# Options of `train` beyond the plain run: --reset and --freeze, --repeat, --tensorboard, the tables
# and pages that are left. LINEAR is tests/unit/fixture_program.c, linked.
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
linear=$(realpath -m "${LINEAR:-$PWD/tests/train/linear}")
need "$linear"
enter_scratch

train()
{
    "$linear" train --data shapes --threads 2 "$@" >out 2>log
}

# tensor FILE NAME: the bytes of a tensor
tensor()
{
    local header length range
    length=$(od -An -tu8 -N8 "$1" | tr -d ' ')
    header=$(tail -c +9 "$1" | head -c "$length")
    range=$(sed -E "s/.*\"$2\":\{[^}]*\"data_offsets\":\[([0-9]+),([0-9]+)\].*/\1 \2/" <<<"$header")
    set -- "$1" ${range% *} ${range#* }
    tail -c +$((9 + length + $2)) "$1" | head -c $(($3 - $2))
}

train --out base --epochs 2 --tensorboard || { cat log; complain 'the base run fails'; }
[ "$(wc -l <base/metrics.csv)" -eq 3 ] || complain 'metrics.csv has not a line for each epoch'
[ "$(head -c 12 base/events.out.tfevents.rnet | od -An -tx1)" = ' 18 00 00 00 00 00 00 00 a3 7f 4b 22' ] ||
    complain "the event file's first record is another"
for text in '<h2>Confusion' 'Worst mistakes' 'src="data:image/png;base64,' '<td>Machine</td>' \
    'multiply-adds' 'top-5'; do
    grep -q "$text" base/report.html || complain "report.html lacks $text"
done
grep -qE '(src|href)="?(http|//)' base/report.html && complain 'report.html is not self-contained'

# A frozen layer keeps its bytes; what is reset begins as without --init.
train --out frozen --steps 4 --init base/last.safetensors --freeze fc.weight
cmp -s <(tensor base/last.safetensors fc.weight) <(tensor frozen/last.safetensors fc.weight) ||
    complain 'a frozen weight has changed'
cmp -s <(tensor base/last.safetensors fc.bias) <(tensor frozen/last.safetensors fc.bias) &&
    complain 'all is frozen'
train --out fresh --steps 0
train --out reset --steps 0 --init base/last.safetensors --reset fc.weight
cmp -s <(tensor fresh/last.safetensors fc.weight) <(tensor reset/last.safetensors fc.weight) ||
    complain 'a reset weight is not fresh'
cmp -s <(tensor base/last.safetensors fc.bias) <(tensor reset/last.safetensors fc.bias) ||
    complain 'more than the label is reset'

# refused STATUS OPTION...: the training exits so, and leaves no directory and an empty one empty.
mkdir empty
refused()
{
    local expected=$1 out
    shift
    for out in none/deep empty; do
        train --out "$out" "$@"
        [ $? -eq "$expected" ] || { cat log; complain "$* does not exit with $expected"; }
        [ -s log ] || complain "$* is refused without a word"
    done
    [ -e none ] && { complain "$* leaves a directory behind"; rm -r none; }
    [ -z "$(ls -A empty)" ] || { complain "$* leaves files behind"; rm -r empty/*; }
}
refused 2 --freeze nothing
refused 2 --freeze nothing --resume
refused 2 --reset fc
refused 2 --epochs 0
refused 2 --epochs 9223372036854775807
refused 2 --lr fast
refused 2 --repeat 2 --freeze nothing
refused 1 --data cifar10:missing
refused 1 --init missing.safetensors
refused 1 --init missing.safetensors --resume
echo text >text.safetensors
refused 1 --init text.safetensors
train --out base
[ $? -eq 1 ] || complain 'a second run in one directory is not an error'
touch file
train --out file
[ $? -eq 1 ] || complain 'a run in a file is not an error'

# Frozen layers and resuming.
train --out half --steps 2 --init base/last.safetensors --freeze fc.weight
train --out half --steps 4 --init base/last.safetensors --freeze fc.weight --resume
cmp -s frozen/last.safetensors half/last.safetensors || complain 'a resumed frozen run differs'
train --out half --steps 6 --resume
[ $? -eq 1 ] || complain 'a resumed run may change --freeze'

# Seeds: each as if alone.
train --out seeds --epochs 2 --repeat 2 --seed 4 || { cat log; complain '--repeat fails'; }
grep -q 'top-1 error of 2 runs' out || { cat out; complain 'the summary of the seeds'; }
train --out alone --epochs 2 --seed 5
cmp -s alone/last.safetensors seeds/seed-5/last.safetensors || complain 'a seed of many differs'
grep -qE '^\{"runs":2,"seed":4,"best_errors":\[[0-9.]+,[0-9.]+\],.*"last_std":[0-9.]+\}$' \
    seeds/repeat.json || { cat seeds/repeat.json; complain 'repeat.json'; }
grep -q 'seed 5' seeds/report.html || complain 'the page of the seeds'
# Logits that are not numbers are no answers.
train --out wild --lr 3e38 --steps 1 || complain 'a step at a wild learning rate'
"$linear" eval --data shapes --weights wild/last.safetensors --json >out 2>log
grep -q '"loss":null,"top1":0,"top5":0}' out || complain "eval of wild weights: $(cat out log)"
# A data file that is cut short while it is mapped: a message and exit 1, not a crash.
# array FILE TYPE SHAPE BYTES: zeros in NumPy's format
array()
{
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
        "{'descr': '$2', 'fortran_order': False, 'shape': ($3), }" >"$1"
    head -c "$4" /dev/zero >>"$1"
}
mkdir arrays
for part in train val; do
    array "arrays/${part}_x.npy" '<f4' '100, 3, 32, 32' $((100 * 3 * 32 * 32 * 4))
    array "arrays/${part}_y.npy" '|u1' '100,' 100
done
"$linear" train --data npy:arrays --epochs 100000 --out lost >out 2>log &
while [ ! -s lost/metrics.jsonl ] && kill -0 $! 2>>log; do sleep 0.05; done
truncate -s 1000 arrays/train_x.npy
wait $!
[ $? -eq 1 ] || complain 'a lost data file does not end in exit 1'
grep -q 'cut short while it was in use' log || { cat log; complain 'a lost data file is not told'; }
[ "$failures" -eq 0 ]
