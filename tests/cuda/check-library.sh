#!/usr/bin/env bash
# NVIDIA's own cuDNN takes every pass of every shape of convolution as the runtime describes them,
# on an H100: from version 9.8 on it plans for a GPU that is only described (h100.json), so none is
# needed. CUDNN_HOME says where the library is; by default it is looked for in CUDA_HOME.
set -u
program=$(realpath -m "${CONVOLUTIONS:-$PWD/tests/cuda/convolutions}")
source=$(cd "$(dirname "$0")" && pwd)
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
out=$(mktemp)
trap 'rm -f "$out"' EXIT
failures=0
for precision in fp32 tf32 bf16; do
    if ! LD_LIBRARY_PATH="$home:$cuda/lib64" "$program" $precision survey \
        "$(cat "$source/h100.json")" >"$out" 2>&1; then
        printf 'skipped: %s\n' "$(tail -n 1 "$out")"
        exit 77
    fi
    taken=$(awk '$2 > 0' "$out" | wc -l)
    printf '%s: cuDNN takes %s of %s\n' $precision "$taken" "$(wc -l <"$out")"
    if [ "$taken" -ne 21 ]; then
        awk '$2 == 0 { print "  not " $1 }' "$out"
        failures=$((failures + 1))
    fi
done
[ "$failures" -eq 0 ]
