#!/usr/bin/env bash
# No architecture's name in C: networks live in .rnet files alone.
set -u
cd "$(dirname "$0")/../.." || exit 1

names='i?resnet|resstage|i?resgroup|resnext|wide_?resnet|preact|bottleneck|basic_?block'
names="$names|densenet|convnext|mobilenet|efficientnet|vgg|alexnet|inception|ssd300|i3d|x3d"

if grep -rniE --include='*.[chly]' --include='*.def' "(^|[^a-z])($names)" \
    base lang compiler codegen runtime driver; then
    echo 'the C code above names an architecture'
    exit 1
fi
