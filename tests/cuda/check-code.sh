#!/usr/bin/env bash
# Runs check_code over every shipped network that has code; where there is NVRTC.
set -euo pipefail
program=${RNET_BUILD_DIR:-$PWD/build}/tests/cuda/check_code
cd "${RNET_SOURCE_DIR:-.}"
if [ ! -x "$program" ]; then
    echo "skipped: there is no $program"
    exit 77
fi
networks=()
for file in examples/*/*.rnet; do
    if "$RNET" build "$file" --emit kernels >/dev/null 2>&1; then
        networks+=("$file")
    else
        echo "left out, has no code on any target: $file"
    fi
done
RNET_STDLIB=stdlib exec "$program" "${networks[@]}"
