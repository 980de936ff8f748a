#!/usr/bin/env bash
# Every allocation, open, read, write, fsync and rename of a short training fails once: the run ends
# with exit 1 and one message (or does not need what failed, and ends as if nothing had), the last
# checkpoint is whole, and --resume ends in the bytes of a run that never failed.
#
#   check_faults.sh [CALL...]    malloc open read write fsync rename; all by default
#
# Where a kind has more than RNET_FAULTS calls (60 by default), as many are spread over them;
# RNET_FAULTS=1000000 tries every one. LINEAR is tests/unit/fixture_program.c, linked.
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
linear=$(realpath -m "${LINEAR:-$PWD/tests/train/linear}")
most=${RNET_FAULTS:-30}
need "$linear"
if [ "$(uname -m)" != x86_64 ] || grep -q __asan_init "$linear"; then
    echo 'skipped: needs x86-64 and a program without a sanitizer'
    exit 77
fi
enter_scratch
${CC:-cc} -O1 -fPIC -shared -o fault.so "$source_dir/tests/fault/fault.c" || exit 1

# 60 training and 20 validation records of CIFAR-10's binary format
LC_ALL=C awk 'BEGIN {
    for (i = 0; i < 80; i++) {
        file = i < 60 ? "data_batch_1.bin" : "test_batch.bin"
        printf "%c", 1 + i % 9 >file
        for (j = 0; j < 3072; j++)
            printf "%c", 32 + 8 * (i % 9) + (i * j) % 20 >file
    }
}'

# train DIR: two epochs of two steps, a checkpoint after each step
train()
{
    "$linear" train --data cifar10:. --epochs 2 --checkpoint-every 1 --threads 2 --tensorboard \
        --resume --out "$@"
}

lines()
{
    grep -v '"event":"resume"' "$1/metrics.jsonl" | sed -E 's/,"images_per_second":[^,}]*//'
}

is_whole()
{
    cmp -s whole/last.safetensors "$1/last.safetensors" &&
        cmp -s whole/best.safetensors "$1/best.safetensors" &&
        cmp -s <(lines whole) <(lines "$1")
}

train whole >log 2>&1 || { cat log; exit 1; }
train begun --steps 1 >log 2>&1 || { cat log; exit 1; }

# try CALL NUMBER [STAYS]
try()
{
    local status
    rm -rf faulty
    cp -r begun faulty
    (
        export LD_PRELOAD=$scratch/fault.so FAULT_CALL=$1 FAULT_AT=$2
        [ -z "${3:-}" ] || export FAULT_STAYS=1
        train faulty >out 2>log
    )
    status=$?
    case $status in
    0) is_whole faulty || complain "$1 $2 ${3:-}: exit 0, but another result" ;;
    1)
        # The complaint is the last line, with the program's name; nothing comes behind it.
        [ "$(grep -cE '^(rnet|[^ ]*linear[^ ]*): ' log)" -eq 1 ] || [ "$1" = write ] ||
            complain "$1 $2 ${3:-}: not one message"
        ;;
    *) complain "$1 $2 ${3:-}: exit status $status" ;;
    esac
    [ "$(find faulty -name 'checkpoint-*' ! -name '*.*' | wc -l)" -ge 1 ] ||
        complain "$1 $2 ${3:-}: the checkpoint is lost"
    train faulty >out 2>log || complain "$1 $2 ${3:-}: no resume"
    is_whole faulty || complain "$1 $2 ${3:-}: the resumed run ends elsewhere"
}

for call in ${*:-malloc open read write fsync rename}; do
    rm -rf counted
    cp -r begun counted
    (
        export LD_PRELOAD=$scratch/fault.so FAULT_CALL=$call FAULT_COUNT=$scratch/count
        train counted >out 2>log
    )
    if [ $? -eq 77 ]; then
        echo "skipped: $(cat log)"
        exit 77
    fi
    is_whole counted || complain "$call: counting changes the result"
    count=$(cat count)
    tried=$((count < most ? count : most))
    for ((i = 1; i <= tried; i++)); do
        try "$call" $((1 + (i - 1) * (count - 1) / (tried > 1 ? tried - 1 : 1)))
    done
    if [ "$call" = write ]; then
        for ((i = 1; i <= 5; i++)); do
            try write $((count * i / 6 + 1)) stays
        done
    fi
    printf '%-7s %4d calls, %4d of them failed\n' "$call" "$count" "$tried"
done
[ "$failures" -eq 0 ]
