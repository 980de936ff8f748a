#!/usr/bin/env bash
# tests/train/check_resume.sh with 500 kills, or as many as are given. An hour, so not in
# `make check`: set RNET_SOAK=1 to run it.
#
#   RNET_SOAK=1 LINEAR=build/tests/train/linear tests/soak/kills.sh [KILLS]
set -u
if [ -z "${RNET_SOAK:-}" ]; then
    echo 'skipped: set RNET_SOAK=1'
    exit 77
fi
exec bash "$(dirname "$0")/../train/check_resume.sh" "${1:-500}"
