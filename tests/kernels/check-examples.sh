#!/usr/bin/env bash
# Runs check_examples over the shipped networks that fit an everyday test.
set -euo pipefail
program=${RNET_BUILD_DIR:-$PWD/build}/tests/kernels/check_examples
cd "${RNET_SOURCE_DIR:-.}"
if [ ! -x "$program" ]; then
    echo "skipped: there is no $program"
    exit 77
fi
RNET_STDLIB=stdlib exec "$program" examples/cifar/*.rnet
