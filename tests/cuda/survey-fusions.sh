#!/usr/bin/env bash
# What NVIDIA's cuDNN would compute in one piece with a convolution, on an H100 that is only
# described: docs/cuda.md has what came out. Takes minutes, as most of it is compiled on the way, and
# needs no GPU. Not among the tests.
#
# Engines that cuDNN compiles itself load their code before they are said to fit, so there must be a
# driver library. One is made of the names in CUDA's stub: loading succeeds, all else fails as in the
# stub. Without the stub only precompiled engines are found.
#
#   CUDNN_HOME   has include/cudnn_graph.h and lib/libcudnn.so.9
#   CUDA_HOME    has include/cuda_runtime.h and lib64/stubs/libcuda.so (/usr/local/cuda)
#
# usage: survey-fusions.sh [PATTERN]     the number of one pattern of survey_fusions.c, from 0
set -eu
source=$(cd "$(dirname "$0")" && pwd)
cuda=${CUDA_HOME:-/usr/local/cuda}
cudnn=${CUDNN_HOME:-$cuda}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
library=$(find -L "$cudnn/lib64" "$cudnn/lib" -maxdepth 1 -name libcudnn.so.9 2>/dev/null | head -n 1)
stub=$(find -L "$cuda" -path '*stubs/libcuda.so' 2>/dev/null | head -n 1)
if [ -z "$library" ] || [ ! -e "$cudnn/include/cudnn_graph.h" ]; then
    printf 'there is no cuDNN 9 with its headers in %s: CUDNN_HOME says where\n' "$cudnn" >&2
    exit 77
fi
loads='cuLibraryLoadData|cuLibraryGetKernel|cuLibraryGetModule|cuKernelGetFunction|cuModuleLoadData|cuModuleLoadDataEx|cuModuleGetFunction'
if [ -n "$stub" ]; then
    nm -D --defined-only "$stub" | awk -v loads="^($loads)$" '
        $2 != "T" { next }
        $3 ~ loads { print "unsigned " $3 "(void **out) { *out = thing; return 0; }"; next }
        { print "unsigned " $3 "(void) { return 34; }" }
        BEGIN { print "static char thing[4096];" }' >"$scratch/driver.c"
    mkdir "$scratch/driver"
    ${CC:-cc} -w -fPIC -shared -Wl,-soname,libcuda.so.1 -o "$scratch/driver/libcuda.so.1" \
        "$scratch/driver.c"
else
    printf 'there is no stub of the driver in %s: precompiled engines alone\n' "$cuda" >&2
fi
${CC:-cc} -std=gnu17 -O1 -isystem "$cudnn/include" -isystem "$cuda/include" \
    -o "$scratch/survey" "$source/survey_fusions.c" "$library"
LD_LIBRARY_PATH="$scratch/driver:$(dirname "$library"):$cuda/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
    "$scratch/survey" "$source/h100.json" "$@"
