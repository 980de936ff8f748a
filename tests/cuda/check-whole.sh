#!/usr/bin/env bash
# A whole training and its evaluation on an imitated GPU, with everything that a GPU would run: the
# executable of `rnet build --target cuda`, its kernels and functions as CUDA C compiled for this
# processor (host_kernels), the imitated driver and cuDNN. Losses and updates are the processor's, by
# generated kernels and by cuDNN, in float32 and bfloat16, with filters copied together and each by
# itself, with chains of steps in one piece where they are faster and right. Needs NVRTC, and no GPU.
build=$(realpath -m "${RNET_BUILD_DIR:-$PWD/build}")
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/../cli/common.sh"
# shellcheck source=tests/cuda/common.sh
. "$source_dir/tests/cuda/common.sh"
need "$build/tests/cuda/host_kernels" "$build/tests/gpu/compare"
imitate fake_driver.c driver/libcuda.so.1
imitate fake_cudnn.c cudnn/libcudnn.so.9
network=$source_dir/tests/cuda/whole.rnet
if ! "$RNET" build "$network" --target cuda --gpu sm_90 -o tf32 >log 2>&1; then
    grep -q NVRTC log || { cat log; exit 1; }
    printf 'skipped: %s\n' "$(tail -n 1 log)"
    exit 77
fi
grep -q __asan_init tf32 && { echo 'skipped: needs a program without a sanitizer'; exit 77; }
"$RNET" build "$network" --target cuda --gpu sm_90 --precision bf16 -o bf16 >log 2>&1 ||
    complain 'building bf16'
"$RNET" build "$network" -o cpu >log 2>&1 || complain 'building for the processor'
for precision in tf32 bf16; do
    RNET_STDLIB=$source_dir/stdlib "$build/tests/cuda/host_kernels" "$network" "$PWD/$precision.so" \
        $precision >log 2>&1 || complain "the kernels of $precision"
done

# Pictures: batches of 4, 4 and 2, two of them a step or what is left.
cifar_records 10 15
train=(train --data cifar10:. --epochs 2 --lr 0.01 --freeze fc --threads 1)
"./cpu" "${train[@]}" --steps 0 --out start >log 2>&1 || complain 'no step'
"./cpu" "${train[@]}" --out processor >log 2>&1 || complain 'training on the processor'

# like_processor NAME PRECISION LOSSES UPDATE LIBRARIES [NAME=VALUE...]: a training within bounds
like_processor()
{
    local name=$1 precision=$2 losses=$3 update=$4 libraries=$5
    shift 5
    rm -f library
    env LD_LIBRARY_PATH="$libraries" FAKE_CUDA_CODE="$PWD/$precision.so" FAKE_CUDA_REPORT=report \
        FAKE_CUDNN_REPORT=library "$@" "./$precision" "${train[@]}" --out "$name" >log 2>&1 ||
        complain "$name: training"
    "$build/tests/gpu/compare" losses processor/metrics.jsonl "$name/metrics.jsonl" "$losses" \
        >distance || complain "$name: losses: $(cat distance)"
    "$build/tests/gpu/compare" updates {start,processor,"$name"}/last.safetensors "$update" \
        >>distance || complain "$name: update: $(cat distance)"
    [ "$(count_of report leaks)" = 0 ] || complain "$name: $(count_of report leaks) leaks"
    [ ! -e library ] || [ "$(count_of library leaks)" = 0 ] ||
        complain "$name: $(count_of library leaks) descriptors leak"
    for event in loss top1; do
        printf '%s ' "$(sed -n "s/.*\"val_$event\":\([^,}]*\).*/\1/p" "$name/metrics.jsonl" | tail -n 1)"
    done >validation
    printf '%s: losses, update %s; validation %s; %s launches, %s of cuDNN\n' "$name" \
        "$(tr '\n' ' ' <distance)" "$(cat validation)" "$(count_of report launches)" \
        "$(count_of report library_calls)"
}
both=driver:cudnn
like_processor generated tf32 1e-5 1e-4 driver
alone=$(count_of report launches)
like_processor cudnn tf32 1e-5 1e-4 $both
together=$(count_of report launches) taken=$(count_of report library_calls)
[ "$taken" -gt 0 ] && [ "$((together + taken))" -lt "$alone" ] ||
    complain "cuDNN leaves $together launches of $alone, and has $taken itself"
like_processor without-forward tf32 1e-5 1e-4 $both FAKE_CUDNN_REFUSE=0
like_processor without-filters tf32 1e-5 1e-4 $both FAKE_CUDNN_REFUSE=2
like_processor bf16-generated bf16 5e-2 5e-1 driver
like_processor bf16-cudnn bf16 5e-2 5e-1 $both

# ---- filters that are copied together are forgone where the GPU has no memory for them ----

# infer [NAME=VALUE...]: a step of inference with cuDNN; its output goes to log
infer()
{
    env LD_LIBRARY_PATH=$both FAKE_CUDA_CODE="$PWD/tf32.so" FAKE_CUDA_REPORT=report "$@" \
        ./tf32 bench --mode infer --steps 1 --threads 1 --json >log 2>&1
}
device_bytes()
{
    sed -n 's/.*"device_bytes":\([0-9]*\).*/\1/p' log
}
mebibytes()
{
    awk -v bytes="$1" 'BEGIN { printf "%.1f MiB", bytes / 2^20 }'
}
infer || complain 'inference'
with=$(device_bytes)
infer FAKE_CUDA_MEMORY=$((with - 1)) || complain 'too little memory for filters'
without=$(device_bytes)
grep -q 'too little memory to copy filters together' log || complain 'it is not said'
[ "$(mebibytes "$without")" != "$(mebibytes "$with")" ] || complain 'filters need no memory'
infer FAKE_CUDA_BLOCK=$((with - 1)) || complain 'no block for filters'
[ "$(device_bytes)" = "$without" ] || complain "no block for filters: $(device_bytes) bytes"
infer FAKE_CUDA_MEMORY="$without" || complain 'just enough memory'
for setting in FAKE_CUDA_MEMORY FAKE_CUDA_BLOCK; do
    infer $setting=$((without - 1)) && complain "too little of $setting"
    [ "$(grep -c . log)" -eq 1 ] && grep -q "free: $(mebibytes "$without") are needed" log ||
        complain "too little of $setting: another message"
    [ "$(count_of report leaks)" = 0 ] || complain "too little of $setting: leaks"
done
like_processor little-memory tf32 1e-5 1e-4 $both FAKE_CUDA_MEMORY=$((with - 1))
[ "$(count_of report launches)" -gt "$together" ] &&
    [ "$(count_of report library_calls)" = "$taken" ] || complain 'filters are copied together'
for call in cuMemGetInfo_v2:1 cuMemGetInfo_v2:2 cuMemAlloc_v2:1 cuMemsetD8Async:1 \
    cuStreamSynchronize:1 cuMemHostAlloc:1 cuLaunchKernel:1; do
    rm -f report
    infer FAKE_CUDA_MEMORY=$((with - 1)) FAKE_CUDA_FAIL=$call && complain "$call does not fail"
    grep -q injected log || complain "$call: another failure"
    [ "$(count_of report leaks)" = 0 ] || complain "$call: leaks"
done

# Tuned: of the steps that are chains, cuDNN has all. The imitated clock counts, and a launch takes
# long. Where results are wrong, or it fails, or single steps are faster, chains are tried and left.
# Which engine a single convolution takes is check-cudnn.sh's business.
train+=(--tune)
export FAKE_CUDNN_ONE=1
slow=FAKE_CUDA_LAUNCH_TIME=9
like_processor tuned tf32 1e-5 1e-4 $both $slow
chains=$(count_of library chains) launches=$(count_of report launches)
printf 'chains ran %s times\n' "$chains"
like_processor tuned-little-memory tf32 1e-5 1e-4 $both $slow FAKE_CUDA_MEMORY=$((with - 1))
[ "$(count_of library chains)" -gt 0 ] || complain 'no chains where filters are copied for each use'
like_processor tuned-bf16 bf16 5e-2 5e-1 $both $slow
[ "$(count_of library chains)" -gt 0 ] || complain 'no chains in bf16'
# left NAME [NAME=VALUE...]: chains run while they are tried, and never again
left()
{
    local name=$1
    shift
    like_processor "$name" tf32 1e-5 1e-4 $both "$@"
    [ "$(count_of library chains)" -lt "$chains" ] ||
        complain "$name: chains ran $(count_of library chains) times"
}
left wrong-sums $slow FAKE_CUDNN_WRONG=SUMS
[ "$launches" -lt "$(count_of report launches)" ] ||
    complain "$launches launches with chains, $(count_of report launches) without"
left wrong-tensors $slow FAKE_CUDNN_WRONG=TENSORS
left nothing-stored $slow FAKE_CUDNN_WRONG=STORES
left failing $slow FAKE_CUDNN_FAILS=1
left refused $slow FAKE_CUDNN_REFUSE_CHAINS=1
left slower FAKE_CUDA_LAUNCH_TIME=0
[ "$failures" -eq 0 ]
