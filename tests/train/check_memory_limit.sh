#!/usr/bin/env bash
# Under --memory-limit a training has the same bytes, and no more memory than was planned.
# Run from the build directory, or set RNET to the compiler.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/../cli/common.sh"
examples=$source_dir/examples

# fact NAME FILE OPTION...: a number of the report
fact()
{
    "$rnet" report --json "${@:2}" | grep -oE "\"$1\":[0-9.]+" | head -n 1 | cut -d : -f 2
}

# limit PERCENT FILE OPTION...: what the program needs with so much of its activations
limit()
{
    local peak data all
    peak=$(fact train_peak_bytes "${@:2}")
    data=$(fact data_bytes "${@:2}")
    all=$(fact train_activation_bytes "${@:2}")
    echo $((peak + data - all + all * $1 / 100))
}

# same PERCENT FILE OPTION...: four steps with and without the limit give the same weights,
# statistics and losses, by the same kernels
same()
{
    local network="${*:2}"
    local limited=(--memory-limit "$(limit "$@")")
    "$rnet" build "${@:2}" -o free >log 2>&1 || { fail "$network: $(tail -n 1 log)"; return; }
    "$rnet" build "${@:2}" "${limited[@]}" -o tight >log 2>&1 ||
        { fail "$network: $(tail -n 1 log)"; return; }
    [ "$(fact repeated_steps "${@:2}" "${limited[@]}")" -gt 0 ] || fail "$network: nothing repeats"
    "$rnet" build "${@:2}" --emit kernels >free.kernels
    "$rnet" build "${@:2}" "${limited[@]}" --emit kernels >tight.kernels
    cmp -s free.kernels tight.kernels || fail "$network: other kernels"
    for program in free tight; do
        rm -rf "$program.run"
        ./"$program" train --data shapes --steps 4 --seed 5 --threads 2 --out "$program.run" \
            >log 2>&1 || { fail "$network: $(tail -n 1 log)"; return; }
    done
    cmp -s free.run/last.safetensors tight.run/last.safetensors ||
        fail "$network: the weights are others"
    cmp -s <(sed 's/"images_per_second":[^,}]*//' free.run/metrics.jsonl) \
        <(sed 's/"images_per_second":[^,}]*//' tight.run/metrics.jsonl) ||
        fail "$network: the losses are others"
}

same 65 "$examples/cifar/iresnet.rnet" -D depth=38 -D batch=16
same 75 "$examples/cifar/resnet.rnet" -D depth=29 -D batch=16
same 75 "$examples/cifar/preact_resnet.rnet" -D depth=29 -D batch=16
# Groups of channels; dropout, whose mask must come again; branches that are dropped.
same 85 "$source_dir/tests/train/parity.rnet" --network iresgroup
same 85 "$examples/beyond/wide_resnet.rnet" -D depth=16 -D widen=1 -D batch=16
same 85 "$examples/beyond/stochastic_depth.rnet" -D size=32 -D classes=10 -D batch=16 -D rate=0.5

# ---- planned and measured ----

# peak OPTION...: of iResNet-110 with these options; what was planned, then what two steps took
peak()
{
    local planned measured
    "$rnet" build "$examples/cifar/iresnet.rnet" -D depth=110 -D batch=64 "$@" -o m >log 2>&1 ||
        { fail "$(tail -n 1 log)"; return; }
    planned=$(./m info --json | grep -oE '"train_peak_bytes":[0-9]+' | cut -d : -f 2)
    measured=$(./m bench --mode train --steps 1 --threads 2 --json |
        grep -oE '"peak_rss_bytes":[0-9]+' | cut -d : -f 2)
    printf 'iresnet-110 %s: planned %s bytes, measured %s\n' "$*" "$planned" "$measured"
    [ $((planned * 97)) -le $((measured * 100)) ] && [ $((measured * 97)) -le $((planned * 100)) ] ||
        fail "planned and measured memory differ by more than 3 %: $*"
}

if ! grep -q __asan_init "$rnet"; then
    peak
    peak --memory-limit 400MiB
fi

# ---- what can't be done ----

network=$examples/cifar/iresnet.rnet
expect 1 'training needs [0-9]+ MiB at least.*weights.*batch of 64 images.*libraries.*cifar10' \
    "$rnet" build "$network" -D depth=164 -D batch=64 --memory-limit 100MiB -o none
[ ! -e none ] || fail 'a limit that was not met left a file'
least=$(grep -oE '[0-9]+ MiB at least' err | grep -oE '[0-9]+')
expect 0 'memory limit' "$rnet" report "$network" -D depth=164 -D batch=64 --memory-limit "${least}MiB"
expect 1 'at least' "$rnet" report "$network" -D depth=164 -D batch=64 --memory-limit 100MiB
expect 2 'expected a size' "$rnet" build "$network" --memory-limit soup -o none
expect 2 'expected a size' "$rnet" build "$network" --memory-limit 4GiBs -o none
expect 2 'expected a size' "$rnet" build "$network" --memory-limit -1 -o none
expect 2 'needs SIZE' "$rnet" build "$network" --memory-limit
expect 2 'about training' "$rnet" build "$network" --inference --memory-limit 1GiB -o none
expect 0 'nothing is computed again' "$rnet" report "$network" -D depth=20 --memory-limit 1.5TB
finish
