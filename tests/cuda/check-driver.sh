#!/usr/bin/env bash
# Everything of runtime/cuda but the kernels' arithmetic, on an imitation of NVIDIA's driver
# (fake_driver.c) whose streams keep no order that was not asked for: training, evaluation, resume
# and forward give the bytes of the processor; graphs are captured once and replayed; each way to
# fail has its message; each call of the driver fails once, and nothing leaks.
# shellcheck source=tests/cuda/common.sh
. "$(dirname "$0")/common.sh"
gpu=$(realpath -m "${LINEAR_CUDA:-$PWD/tests/cuda/linear}")
cpu=$(realpath -m "${LINEAR:-$PWD/tests/train/linear}")
need "$gpu" "$cpu"
enter_scratch
imitate fake_driver.c lib/libcuda.so.1 "$gpu"

# with_gpu [NAME=VALUE...] ARGUMENT...: the program on the imitated GPU; its output goes to log
with_gpu()
{
    local settings=()
    while [[ $1 == *=* && $1 != --* ]]; do
        settings+=("$1")
        shift
    done
    env LD_LIBRARY_PATH="$scratch/lib" FAKE_CUDA_REPORT=report "${settings[@]}" "$gpu" "$@" \
        >log 2>&1
}

# Whole and partial batches.
cifar_records 170 260
train=(train --data cifar10:. --threads 2 --epochs 3)

# ---- the same bytes ----

"$cpu" "${train[@]}" --out cpu >log 2>&1 || complain 'training on the processor'
without_rate()
{
    sed 's/"images_per_second":[^,}]*//' "$1/metrics.jsonl"
}
same_run()
{
    for file in last.safetensors best.safetensors; do
        cmp -s "cpu/$file" "$1/$file" || complain "$2: $file is another"
    done
    cmp -s <(without_rate cpu) <(without_rate "$1") || complain "$2: the metrics are others"
    [ "$(count_of report leaks)" = 0 ] || complain "$2: $(count_of report leaks) things are not released"
}
with_gpu "${train[@]}" --out late || complain 'training, as late as possible'
same_run late 'as late as possible'
# Two counts of images in each part: a step is one graph, as are inference and loss, captured once
# for each count, the second time that it runs, and replayed ever after. Of the batches of an epoch
# all but the first of each part are copied, images and labels, while the GPU has work.
[ "$(count_of report captures)" = 6 ] || complain "$(count_of report captures) captures"
[ "$(count_of report graph_launches)" = 18 ] || complain "$(count_of report graph_launches) graph launches"
[ "$(count_of report overlapped)" = 24 ] || complain "$(count_of report overlapped) copies beside the step"
with_gpu FAKE_CUDA_EAGER=1 "${train[@]}" --out eager || complain 'training, at once'
same_run eager 'at once'
with_gpu RNET_CHECK_KERNELS=1 "${train[@]}" --out checked || complain 'training, checked'
same_run checked 'checked'
[ "$(count_of report graph_launches)" = 0 ] || complain 'RNET_CHECK_KERNELS launches graphs'

# ---- weights and checkpoints move both ways ----

for from in cpu late; do
    "$cpu" eval --data cifar10:. --weights $from/last.safetensors --json >on_cpu 2>log
    with_gpu eval --data cifar10:. --weights $from/last.safetensors --json
    cmp -s on_cpu log || complain "eval of $from/last.safetensors"
done
"$cpu" "${train[@]}" --steps 5 --out moved >log 2>&1 || complain '5 steps on the processor'
with_gpu "${train[@]}" --resume --steps 9 --out moved || complain 'steps 6 to 9 on the GPU'
"$cpu" "${train[@]}" --resume --out moved >log 2>&1 || complain 'the rest on the processor'
cmp -s cpu/last.safetensors moved/last.safetensors || complain 'a run that moved twice'
"$cpu" "${train[@]}" --freeze fc.bias --steps 7 --out frozen_cpu >log 2>&1 || complain 'freeze'
with_gpu "${train[@]}" --freeze fc.bias --steps 7 --out frozen_gpu || complain 'freeze on the GPU'
cmp -s frozen_cpu/last.safetensors frozen_gpu/last.safetensors || complain 'frozen parameters'

# ---- sums of gradients, their limit, and an average of the weights are the GPU's work too ----

linear=$gpu
gpu=${gpu}_averaged
"${cpu}_averaged" "${train[@]}" --out averaged_cpu >log 2>&1 || complain 'averaged'
same_averaged()
{
    for file in last.safetensors best.safetensors; do
        cmp -s "averaged_cpu/$file" "$1/$file" || complain "averaged, $2: $file is another"
    done
    cmp -s <(without_rate averaged_cpu) <(without_rate "$1") ||
        complain "averaged, $2: the metrics are others"
    [ "$(count_of report leaks)" = 0 ] ||
        complain "averaged, $2: $(count_of report leaks) things are not released"
}
with_gpu "${train[@]}" --out averaged_gpu || complain 'averaged on the GPU'
same_averaged averaged_gpu 'as late as possible'
with_gpu FAKE_CUDA_EAGER=1 "${train[@]}" --out averaged_eager || complain 'averaged, at once'
same_averaged averaged_eager 'at once'
with_gpu RNET_CHECK_KERNELS=1 "${train[@]}" --out averaged_checked || complain 'averaged, checked'
same_averaged averaged_checked 'checked'
"${cpu}_averaged" "${train[@]}" --steps 1 --out moved_averaged >log 2>&1 || complain 'a step'
with_gpu "${train[@]}" --resume --steps 4 --out moved_averaged || complain 'steps 2 to 4 on the GPU'
"${cpu}_averaged" "${train[@]}" --resume --out moved_averaged >log 2>&1 || complain 'the rest'
cmp -s averaged_cpu/last.safetensors moved_averaged/last.safetensors ||
    complain 'averaged: a run that moved twice'
freeze=(--freeze fc.weight --steps 5)
"${cpu}_averaged" "${train[@]}" "${freeze[@]}" --out part_cpu >log 2>&1 || complain 'a part'
with_gpu "${train[@]}" "${freeze[@]}" --out part_gpu || complain 'a part on the GPU'
cmp -s part_cpu/last.safetensors part_gpu/last.safetensors || complain 'averaged: frozen parameters'
cmp -s <(without_rate part_cpu) <(without_rate part_gpu) || complain 'averaged: the norm of a part'
with_gpu FAKE_CUDA_FAULT=gradient_limit "${train[@]}" --out fault && complain 'a fault in the limit'
grep -q 'the limit of gradients of linear' log || complain 'a fault in the limit is not named'

# A step that diverges has its update behind it when the host sees that; nothing is written any more.
with_gpu "${train[@]}" --steps 2 --out wild || complain 'an epoch'
cp -r wild tame
with_gpu "${train[@]}" --resume --lr 1e30 --out wild
[ $? -eq 70 ] && grep -q 'not finite.*last whole epoch are in wild/last' log || complain 'no divergence'
for file in tame/*.safetensors tame/checkpoint-*; do
    cmp -s "$file" "wild/${file#*/}" || complain "a run that diverges: ${file#*/} is another"
done
[ "$(ls tame)" = "$(ls wild)" ] || complain "a run that diverges leaves $(ls wild)"
with_gpu "${train[@]}" --resume --out wild || complain 'going on after a divergence'
cmp -s averaged_cpu/last.safetensors wild/last.safetensors || complain 'a run after a divergence'
with_gpu "${train[@]}" --lr 1e30 --checkpoint-every 1 --out wilder
[ $? -eq 70 ] && grep -q 'the checkpoint of step 1 is in wilder' log ||
    complain "no divergence, or another checkpoint"
with_gpu train --data shapes --lr 1e30 --out wildest
[ $? -eq 70 ] && grep -q 'nothing was saved' log || complain 'no divergence, or something is saved'

# Of a step come back losses, ranks and the norm; there go images, labels and scalars.
# bus STEPS: sets what crossed in a training of so many steps, all within an epoch
bus()
{
    rm -rf crossing
    with_gpu train --data shapes --steps "$1" --out crossing || complain "$1 steps"
    there=$(count_of report bytes_to) back=$(count_of report bytes_back)
}
bus 3
there_before=$there back_before=$back
bus 4
there=$((there - there_before)) back=$((back - back_before))
[ "$back" -eq $((3 * 2 * 50 * 4 + 8)) ] || complain "$back bytes come back of a step"
images=$((3 * 50 * (3 * 32 * 32 * 4 + 4)))
[ "$there" -ge "$images" ] && [ "$there" -le $((images + 256)) ] ||
    complain "$there bytes go there in a step, $images of them images and labels"
gpu=$linear

# ---- outputs: the logits, and one that is copied when it is read ----

{
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 32, 32), }"
    yes 'AAA?!BB?cac?' | tr -d '\n' | head -c 12288
} >x.npy
forward=(forward --weights averaged_cpu/best.safetensors --input x.npy --output)
"${cpu}_averaged" "${forward[@]}" y_cpu.npy >log 2>&1 || complain 'forward'
env LD_LIBRARY_PATH="$scratch/lib" "${gpu}_averaged" "${forward[@]}" y_gpu.npy >log 2>&1 ||
    complain 'forward on the GPU'
for output in y_cpu.*.npy; do
    cmp -s "$output" "${output/cpu/gpu}" || complain "forward: $output is another"
done
[ "$(ls y_gpu.*.npy | wc -l)" -eq 2 ] || complain 'there are not two outputs'

# ---- what can be wrong has its message ----

# wrong MESSAGE [NAME=VALUE...] ARGUMENT...
wrong()
{
    local message=$1
    shift
    with_gpu "$@" && complain "no failure: $*"
    [ "$(grep -c . log)" -eq 1 ] && grep -qF -e "$message" log || complain "another message: $*"
    [ ! -e report ] || [ "$(count_of report leaks)" = 0 ] || complain "$* leaks $(count_of report leaks)"
    rm -f report
}
bench=(bench --mode train --steps 3)
env LD_LIBRARY_PATH=/nonexistent FAKE_CUDA_REPORT=report "$gpu" "${bench[@]}" >log 2>&1
if ! ldconfig -p | grep -q libcuda.so.1; then
    grep -q 'no NVIDIA driver was found' log || complain 'the library is missing'
fi
wrong 'no NVIDIA GPU was found' FAKE_CUDA_DEVICES=0 "${bench[@]}"
wrong 'there is no GPU 3: the last one is cuda:1' FAKE_CUDA_DEVICES=2 "${bench[@]}" --device cuda:3
wrong 'supports CUDA 11.2, and at least 12.0' FAKE_CUDA_VERSION=11020 "${bench[@]}"
wrong '1.7 MiB are needed' FAKE_CUDA_MEMORY=1000000 "${bench[@]}"
wrong 'and 1.0 MiB of 1.0 are free' FAKE_CUDA_MEMORY=1000000 "${bench[@]}"
wrong 'is older than the toolkit' FAKE_CUDA_ARCHITECTURE=80 "${bench[@]}"
wrong 'the kernel vectors, step 4 of' FAKE_CUDA_FAULT=vectors "${bench[@]}"
wrong 'RNET_CHECK_KERNELS=1 finds out' FAKE_CUDA_FAULT=vectors:3 "${bench[@]}"
wrong 'the kernel vectors, step 4 of' RNET_CHECK_KERNELS=1 FAKE_CUDA_FAULT=vectors:3 "${bench[@]}"
wrong 'compiled for --target cuda' "${bench[@]}" --device cpu
wrong '--device is cpu, cuda or cuda:N' "${bench[@]}" --device gpu
"$cpu" "${bench[@]}" --device cuda:0 >log 2>&1 && complain 'a program for the processor on a GPU'
grep -q 'compiled for --target cpu' log || complain 'a program for the processor on a GPU'
with_gpu FAKE_CUDA_DEVICES=2 "${bench[@]}" --device cuda:1 || complain '--device cuda:1'
grep -q 'cuda:1, Imitated GPU 1' log || complain '--device cuda:1 is another'

# ---- a run that fails keeps its last checkpoint ----

with_gpu FAKE_CUDA_FAULT=update:7 "${train[@]}" --out broken && complain 'a fault in step 7'
with_gpu "${train[@]}" --resume --out broken || complain 'going on after a fault'
cmp -s cpu/last.safetensors broken/last.safetensors || complain 'a run that went on after a fault'

# ---- a profile: each step has its time, in a graph that is for that alone ----

profile=(bench --mode train --steps 2 --profile --threads 1)
with_gpu FAKE_CUDA_MEMORY=40000000 "${profile[@]}" || complain 'a profile'
grep -q 'single precision.*25600.0 GFLOP/s' log || complain 'a profile: the limits'
grep -q '^ 100.0 %.* all$' log || complain 'a profile: the sum'
[ "$(count_of report leaks)" = 0 ] || complain "a profile leaks $(count_of report leaks)"
gpu=${linear}_averaged
with_gpu FAKE_CUDA_MEMORY=40000000 "${profile[@]}" || complain 'a profile of a whole step'
grep -q '3 batches of 50 a step' log || complain 'a profile: the batches of a step'
# The imitated clock counts operations, with the mark at the end: one, two and a copy, two.
while read -r milliseconds calls name; do
    grep -qE "% +$milliseconds +$calls .* $name\$" log || complain "a profile: $name"
done <<'END'
6.000 3 sum of gradients
4.000 1 norm of gradients
3.000 1 average of weights
END
[ "$(count_of report leaks)" = 0 ] || complain "a profile leaks $(count_of report leaks)"
for kernel in gradient_add gradient_block_norms gradient_limit weight_average; do
    with_gpu FAKE_CUDA_FAULT=$kernel "${bench[@]}" && complain "a step is timed without $kernel"
done
gpu=$linear

# ---- each call fails once ----

# each_fails WHAT ARGUMENT...
each_fails()
{
    local calls n status
    with_gpu FAKE_CUDA_MEMORY=40000000 "${@:2}" --threads 1 || complain "$1"
    calls=$(($(count_of report calls) - 2)) # the last two are the release's, which goes on
    for ((n = 1; n <= calls; n++)); do
        rm -rf out report
        with_gpu FAKE_CUDA_MEMORY=40000000 FAKE_CUDA_FAIL=$n "${@:2}" --threads 1
        status=$?
        if [ $status -ne 1 ] || ! grep -q 'injected' log; then
            complain "$1, call $n of $calls: exit $status"
        elif [ "$(count_of report leaks)" != 0 ]; then
            complain "$1, call $n of $calls: $(count_of report leaks) leaks"
        fi
    done
    printf '%s: %s calls of the driver, each failed once\n' "$1" "$calls"
}
each_fails 'a training' train --data cifar10:. --epochs 1 --steps 3 --freeze fc.bias --out out
each_fails 'a profile' bench --mode train --steps 1 --profile
gpu=${gpu}_averaged
each_fails 'a profile with averages' bench --mode train --steps 1 --profile
each_fails 'a training with averages' train --data cifar10:. --epochs 1 --steps 2 \
    --freeze fc.bias --out out
[ "$failures" -eq 0 ]
