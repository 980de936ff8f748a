#!/usr/bin/env bash
# Runs check_gpu_text over a network that has every kind of schedule.
set -euo pipefail
program=${RNET_BUILD_DIR:-$PWD/build}/tests/kernels/check_gpu_text
cd "${RNET_SOURCE_DIR:-.}"
if [ ! -x "$program" ]; then
    echo "skipped: there is no $program"
    exit 77
fi
RNET_STDLIB=stdlib exec "$program" examples/cifar/iresnet.rnet
