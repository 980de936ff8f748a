#!/usr/bin/env bash
# Every example's outputs against the same network in PyTorch: check_networks.py [CASE...].
# Only where PyTorch is: python3, or the interpreter that PYTORCH names. Takes some minutes.
set -u
python=${PYTORCH:-python3}
RNET=$(realpath -m "${RNET:-$PWD/rnet}")
export RNET
if ! "$python" -c 'import torch, safetensors, numpy' 2>/dev/null; then
    printf 'SKIPPED: %s has no torch, safetensors and numpy; name one that has: PYTORCH=...\n' \
        "$python"
    exit 77
fi
if [ ! -x "$RNET" ]; then
    printf 'SKIPPED: there is no %s\n' "$RNET"
    exit 77
fi
exec "$python" "$(dirname "$0")/check_networks.py" "$@"
