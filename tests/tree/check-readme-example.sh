#!/usr/bin/env bash
# The network in README.md is one that rnet accepts.
set -eu
cd "$(dirname "$0")/../.."

if [ ! -x "${RNET:-build/rnet}" ]; then
    echo "there is no ${RNET:-build/rnet} to check the example with"
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed -n '/^```rnet$/,/^```$/p' README.md | grep -v '^```' >"$folder/example.rnet"
[ -s "$folder/example.rnet" ]
"${RNET:-build/rnet}" check "$folder/example.rnet"
