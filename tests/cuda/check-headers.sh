#!/usr/bin/env bash
# The runtime's own declarations of NVIDIA's interfaces are those of NVIDIA's headers, where these
# are: in CUDA_HOME (/usr/local/cuda by default).
set -u
include=${CUDA_HOME:-/usr/local/cuda}/include
source=$(cd "$(dirname "$0")/../.." && pwd)
if [ ! -e "$include/cuda.h" ]; then
    printf 'skipped: there is no %s/cuda.h\n' "$include"
    exit 77
fi
failures=0
for header in driver cudnn; do
    file=$source/tests/cuda/headers_$header.c
    [ -e "$file" ] || continue
    if [ "$header" = cudnn ] && [ ! -e "$include/cudnn_backend.h" ]; then
        printf 'left out: there is no %s/cudnn_backend.h\n' "$include"
        continue
    fi
    ${CC:-cc} -std=gnu17 -fsyntax-only -I"$source" -isystem "$include" "$file" ||
        failures=$((failures + 1))
done
[ "$failures" -eq 0 ]
