#!/usr/bin/env bash
# Logits, and ten training steps, equal what PyTorch computes in double precision (record.py).
# For each case: build the network, give it the recorded weights and data, run it, compare.
#
#   check_parity.sh [CASE...]    the cases of the table below; all by default
#
# Run from the build directory, or set RNET to the compiler and PARITY to the program of
# check_parity.c. KEEP=DIR keeps what a case leaves in DIR/CASE, for record.py --compare.
set -u
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
parity=$(realpath -m "${PARITY:-$PWD/tests/train/check_parity}")
examples=$(cd "$(dirname "$0")/../../examples/cifar" && pwd) || exit 1

for program in "$rnet" "$parity"; do
    if [ ! -x "$program" ]; then
        printf 'skipped: there is no %s\n' "$program"
        exit 77
    fi
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# CASE NETWORK DEPTH WEIGHT-DECAY OTHER-DEFINITIONS, as in record.py
cases='
resnet20             resnet  20 0.0001 classes=10
resnet20_decay       resnet  20 0.05   classes=10
iresnet20            iresnet 20 0.0001 published=false
iresnet20_decay      iresnet 20 0.05   published=false
iresnet38            iresnet 38 0.0001 published=false
iresnet38_published  iresnet 38 0.05   published=true
resnet20_clip        resnet  20 0.05   clip=7
iresnet20_accumulate iresnet 20 0.0001 accumulate=3 clip=1.8
iresnet20_ema        iresnet 20 0.05   ema=0.8 nesterov=true decay=weights label_smoothing=0.1'

# run_case CASE NETWORK DEPTH WEIGHT-DECAY DEFINITION..., in the current directory
run_case()
{
    "$rnet" build "$examples/$2.rnet" -D depth="$3" -D batch=16 -D weight_decay="$4" \
        "${@:5}" -o m || return 1
    ./m train --data shapes --steps 0 --out listing >log 2>&1 || { cat log; return 1; }
    "$parity" inputs "$1" listing/last.safetensors . || return 1
    ./m forward --weights weights.safetensors --input val_x.npy --output logits.npy || return 1
    ./m train --data npy:. --init weights.safetensors --steps 10 --lr 0.001 --seed 1 \
        --no-shuffle --no-augment --out run >log 2>&1 || { cat log; return 1; }
    "$parity" compare "$1" .
}

failures=0
while read -r name network depth decay rest; do
    read -ra definitions <<<"$rest"
    case " ${*:-$name} " in
    *" $name "*) ;;
    *) continue ;;
    esac
    directory=${KEEP:-$scratch}/$name
    rm -rf "$directory"
    mkdir -p "$directory"
    printf '%s\n' "$name"
    if ! (cd "$directory" && run_case "$name" "$network" "$depth" "$decay" \
        "${definitions[@]/#/-D}"); then
        printf 'FAIL; alone: RNET=%s PARITY=%s tests/train/check_parity.sh %s\n' "$rnet" \
            "$parity" "$name"
        failures=$((failures + 1))
    fi
done <<<"${cases:1}"
[ "$failures" -eq 0 ]
