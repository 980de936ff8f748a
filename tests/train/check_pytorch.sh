#!/usr/bin/env bash
# An ImageNet-shaped network of depth 50 with weights made by PyTorch, taken over by the snippet of
# docs/weights.md: `forward` gives PyTorch's logits, and `predict` those of its preprocessing.
# Only where PyTorch and torchvision are: python3, or the interpreter that PYTORCH names.
set -u
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
python=${PYTORCH:-python3}
here=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$here/../..
sample=${RNET_TEST_DATA:-$root/../shared/data}/imagenet-sample/val

if ! "$python" -c 'import torch, torchvision, safetensors, numpy' 2>/dev/null; then
    printf 'SKIPPED: %s has no torch, torchvision and safetensors; name one that has: PYTORCH=...\n' \
        "$python"
    exit 77
fi
if [ ! -x "$rnet" ] || [ ! -d "$sample" ]; then
    printf 'SKIPPED: needs %s and %s (RNET_TEST_DATA)\n' "$rnet" "$sample"
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mapfile -t images < <(ls -d "$(realpath "$sample")"/*/*.JPEG | head -n 16)
cd "$scratch" || exit 1

"$python" "$here/check_pytorch.py" make . "${images[@]}" || exit 1
awk '/^import json, sys, torch/ { inside = 1 } /^```/ { inside = 0 } inside' \
    "$root/docs/weights.md" >convert.py
[ "$(wc -l <convert.py)" -eq 10 ] || { echo 'the snippet of docs/weights.md has not ten lines  FAIL'; exit 1; }
"$python" convert.py checkpoint.pth weights.safetensors || exit 1

"$rnet" build "$root/examples/imagenet/iresnet.rnet" -D depth=50 -D batch=4 -o m &&
    ./m forward --weights weights.safetensors --input input.npy --output logits.npy &&
    ./m predict --weights weights.safetensors --top 1000 --json "${images[@]}" >predict.json ||
    { echo 'the executable fails  FAIL'; exit 1; }
"$python" "$here/check_pytorch.py" compare . "${images[@]}"
