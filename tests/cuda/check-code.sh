#!/usr/bin/env bash
# Runs check_code over every shipped network, with its training step where it has one; where there is
# NVRTC.
set -euo pipefail
program=${RNET_BUILD_DIR:-$PWD/build}/tests/cuda/check_code
cd "${RNET_SOURCE_DIR:-.}"
if [ ! -x "$program" ]; then
    echo "skipped: there is no $program"
    exit 77
fi
networks=() without_training=()
for file in examples/*/*.rnet; do
    if "$RNET" build "$file" --emit kernels >/dev/null 2>&1; then
        networks+=("$file")
    else
        without_training+=("$file")
        echo "has no training step on any target: $file"
    fi
done
# Under a sanitizer a library finds the parts of its own folder only where the environment says so.
if [ -n "${RNET_CUDA:-}" ]; then
    export LD_LIBRARY_PATH="$RNET_CUDA/lib64:$RNET_CUDA/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
RNET_STDLIB=stdlib exec "$program" "${networks[@]}" --inference "${without_training[@]}"
