#!/usr/bin/env bash
# NVIDIA's own cuDNN takes every pass of every shape of convolution as the runtime describes them,
# and chains of steps, on an H100: from version 9.8 on it plans for a GPU that is only described
# (h100.json), so none is needed. CUDNN_HOME says where the library is; by default it is looked for in
# CUDA_HOME. Chains are asked for where there is NVRTC, and a stub of the driver.
# shellcheck source=tests/cuda/common.sh
. "$(dirname "$0")/common.sh"
build=$PWD
program=$(realpath -m "${CONVOLUTIONS:-$build/tests/cuda/convolutions}")
rnet=$(realpath -m "${RNET:-$build/rnet}")
gpu=$source_dir/tests/cuda/h100.json
cuda=${CUDA_HOME:-/usr/local/cuda}
home=
for folder in ${CUDNN_HOME:+"$CUDNN_HOME"} "$cuda"; do
    for library in "$folder/lib64/libcudnn.so.9" "$folder/lib/libcudnn.so.9"; do
        [ -n "$home" ] || [ ! -e "$library" ] || home=$(dirname "$library")
    done
done
if [ -z "$home" ] || [ ! -x "$program" ]; then
    printf 'skipped: there is no libcudnn.so.9 in %s, or no %s\n' "$cuda" "$program"
    exit 77
fi
enter_scratch
libraries=$home:$cuda/lib64
for precision in fp32 tf32 bf16; do
    if ! LD_LIBRARY_PATH="$libraries" "$program" $precision survey "$(cat "$gpu")" >out 2>&1; then
        printf 'skipped: %s\n' "$(tail -n 1 out)"
        exit 77
    fi
    taken=$(awk '$2 > 0' out | wc -l)
    printf '%s: cuDNN takes %s of %s\n' $precision "$taken" "$(wc -l <out)"
    if [ "$taken" -ne 21 ]; then
        awk '$2 == 0 { print "  not " $1 }' out
        failures=$((failures + 1))
    fi
done

# without_chains WHY: what is left out is said
without_chains()
{
    printf 'chains were not asked for: %s\n' "$1"
    [ "$failures" -eq 0 ]
    exit
}
loading_driver driver || without_chains 'there is no stub of the driver'
grep -q __asan_init "$program" && without_chains 'the runtime has a sanitizer'

# chains PRECISION COUNT: so many of a network's 33 chains have a way. cuDNN has none for groups, for
# data gradients with a stride, nor, in bf16, for sums where there are 3 channels.
chains()
{
    "$rnet" build "$source_dir/tests/cuda/whole.rnet" --target cuda --gpu sm_90 --precision "$1" \
        --emit obj -o program.o >log 2>&1 || without_chains "$(tail -n 1 log)"
    ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -I"$source_dir" -o plan "$source_dir/tests/cuda/plan_chains.c" \
        program.o "$build/librnet_runtime.a" "$build/libbase.a" -ldl -lm -lpthread || exit 1
    LD_LIBRARY_PATH="driver:$libraries" ./plan "$gpu" >out || exit 1
    printf '%s: %s\n' "$1" "$(tail -n 1 out)"
    [ "$(tail -n 1 out)" = "$2 of 33 chains" ] || { cp out log; complain "chains of $1"; }
}
chains tf32 30
chains bf16 25
[ "$failures" -eq 0 ]
