#!/usr/bin/env bash
# What NVIDIA's cuDNN would compute in one piece with a convolution, on an H100 that is only
# described: docs/cuda.md has what came out. Takes minutes, as most of it is compiled on the way, and
# needs no GPU. Not among the tests.
#
# Without CUDA's stub of the driver only precompiled engines are found.
#
#   CUDNN_HOME   has include/cudnn_graph.h and lib/libcudnn.so.9
#   CUDA_HOME    has include/cuda_runtime.h and lib64/stubs/libcuda.so (/usr/local/cuda)
#
# usage: survey-fusions.sh [PATTERN]     the number of one pattern of survey_fusions.c, from 0
# shellcheck source=tests/cuda/common.sh
. "$(dirname "$0")/common.sh"
set -e
cuda=${CUDA_HOME:-/usr/local/cuda}
cudnn=${CUDNN_HOME:-$cuda}
library=$(find -L "$cudnn/lib64" "$cudnn/lib" -maxdepth 1 -name libcudnn.so.9 2>/dev/null | head -n 1)
if [ -z "$library" ] || [ ! -e "$cudnn/include/cudnn_graph.h" ]; then
    printf 'there is no cuDNN 9 with its headers in %s: CUDNN_HOME says where\n' "$cudnn" >&2
    exit 77
fi
enter_scratch
loading_driver driver || printf 'no stub of the driver: precompiled engines alone\n' >&2
${CC:-cc} -std=gnu17 -O1 -isystem "$cudnn/include" -isystem "$cuda/include" \
    -o survey "$source_dir/tests/cuda/survey_fusions.c" "$library"
LD_LIBRARY_PATH="$scratch/driver:$(dirname "$library"):$cuda/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
    ./survey "$source_dir/tests/cuda/h100.json" "$@"
