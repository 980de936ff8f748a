#!/usr/bin/env bash
# Runs check_gpu_text over networks that between them have every kind of layer with code.
set -euo pipefail
program=${RNET_BUILD_DIR:-$PWD/build}/tests/kernels/check_gpu_text
cd "${RNET_SOURCE_DIR:-.}"
if [ ! -x "$program" ]; then
    echo "skipped: there is no $program"
    exit 77
fi
RNET_STDLIB=stdlib exec "$program" examples/cifar/iresnet.rnet examples/cifar/resmax.rnet
