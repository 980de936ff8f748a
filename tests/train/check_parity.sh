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
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1

for program in "$rnet" "$parity"; do
    if [ ! -x "$program" ]; then
        printf 'skipped: there is no %s\n' "$program"
        exit 77
    fi
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# CASE FILE WEIGHT-DECAY OPTION..., as in record.py
cases='
resnet20             examples/cifar/resnet.rnet  0.0001 -D depth=20
resnet20_decay       examples/cifar/resnet.rnet  0.05   -D depth=20
iresnet20            examples/cifar/iresnet.rnet 0.0001 -D depth=20
iresnet20_decay      examples/cifar/iresnet.rnet 0.05   -D depth=20
iresnet38            examples/cifar/iresnet.rnet 0.0001 -D depth=38
iresnet38_published  examples/cifar/iresnet.rnet 0.05   -D depth=38 -D published=true
resnet20_clip        examples/cifar/resnet.rnet  0.05   -D depth=20 -D clip=7
iresnet20_accumulate examples/cifar/iresnet.rnet 0.0001 -D depth=20 -D accumulate=3 -D clip=1.8
iresnet20_ema        examples/cifar/iresnet.rnet 0.05   -D depth=20 -D ema=0.8 -D nesterov=true -D decay=weights -D label_smoothing=0.1
resnext              tests/train/parity.rnet     0.0001 --network resnext
iresgroup            tests/train/parity.rnet     0.0001 --network iresgroup
iresnet3d            tests/train/parity.rnet     0.0001 --network iresnet3d'

# run_case CASE FILE WEIGHT-DECAY OPTION..., in the current directory
run_case()
{
    "$rnet" build "$root/$2" -D batch=16 -D weight_decay="$3" "${@:4}" -o m || return 1
    "$parity" data "$1" . || return 1
    ./m train --data npy:. --steps 0 --out listing >log 2>&1 || { cat log; return 1; }
    "$parity" weights "$1" listing/last.safetensors . || return 1
    ./m forward --weights weights.safetensors --input val_x.npy --output logits.npy || return 1
    ./m train --data npy:. --init weights.safetensors --steps 10 --lr 0.001 --seed 1 \
        --no-shuffle --no-augment --out run >log 2>&1 || { cat log; return 1; }
    "$parity" compare "$1" .
}

failures=0
while read -r name file decay rest; do
    read -ra options <<<"$rest"
    case " ${*:-$name} " in
    *" $name "*) ;;
    *) continue ;;
    esac
    directory=${KEEP:-$scratch}/$name
    rm -rf "$directory"
    mkdir -p "$directory"
    printf '%s\n' "$name"
    if ! (cd "$directory" && run_case "$name" "$file" "$decay" "${options[@]}"); then
        printf 'FAIL; alone: RNET=%s PARITY=%s tests/train/check_parity.sh %s\n' "$rnet" \
            "$parity" "$name"
        failures=$((failures + 1))
    fi
done <<<"${cases:1}"
[ "$failures" -eq 0 ]
