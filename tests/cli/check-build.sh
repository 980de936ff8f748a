#!/usr/bin/env bash
# rnet's command line: exit statuses, what goes where, every --emit, and that a failure loses
# nothing.
. "$(dirname "$0")/common.sh"
network=$source_dir/examples/cifar/iresnet.rnet

expect 2 'usage' "$rnet"
expect 2 'unknown command' "$rnet" frobnicate
expect 0 'rnet [0-9]' "$rnet" --version
expect 0 'build' "$rnet" --help
expect 0 'usage: rnet build' "$rnet" build --help
expect 0 'rnet [0-9]' "$rnet" build --version
expect 2 'which file' "$rnet" build
expect 2 'where to' "$rnet" build "$network"
expect 2 'unknown option' "$rnet" build "$network" --frob
expect 2 'NAME=VALUE' "$rnet" build "$network" -o m -D depth
expect 2 '--emit' "$rnet" build "$network" --emit soup
expect 2 'no such pass' "$rnet" build "$network" -o m --dump-after soup
expect 2 'expected cpu' "$rnet" build "$network" -o m --target soup
expect 1 'NVRTC.*toolkit' env RNET_CUDA=missing "$rnet" build "$network" -D depth=20 -o m --target cuda
expect 2 'sm_90' "$rnet" build "$network" -o m --target cuda --gpu volta
expect 2 '--gpu needs' "$rnet" build "$network" -o m --gpu sm_90
expect 2 'expected fp32, tf32 or bf16' "$rnet" build "$network" -o m --precision half
expect 2 'bf16 needs --target cuda' "$rnet" build "$network" -o m --precision bf16
expect 2 'tf32 needs --target cuda' "$rnet" build "$network" -o m --precision tf32
expect 0 'bf16 p0' "$rnet" build "$network" -D depth=20 --target cuda --precision bf16 --emit kernels
expect 2 'emit cuda' "$rnet" build "$network" --target cuda --emit llvm
expect 2 'target cuda' "$rnet" build "$network" --emit cuda
expect 1 'soup' "$rnet" build "$network" -o m --cpu soup -D depth=20
expect 1 'E0001' "$rnet" check missing.rnet
expect 1 'depth must be' "$rnet" check "$network" -D depth=21
expect 1 'depht' "$rnet" check "$network" -D depht=20
[ ! -e m ] || fail 'a failed build left a file'

expect_clean "$rnet" check "$network"
for what in ast graph kernels llvm asm; do
    expect_clean "$rnet" build "$network" -D depth=20 --emit "$what"
    [ -s out ] || fail "--emit $what printed nothing"
done
expect_clean "$rnet" build "$network" -D depth=20 --emit kernels
cp out first
expect_clean "$rnet" build "$network" -D depth=20 --emit kernels
cmp -s out first || fail '--emit kernels differs from one run to the next'
expect_clean "$rnet" build "$network" -D depth=20 --target cuda --emit cuda
grep -q __global__ out || fail '--emit cuda printed no kernel'
for pass in elaborate loss gradient lower fuse memory recompute schedule; do
    expect 0 . "$rnet" build "$network" -D depth=20 --emit kernels --dump-after "$pass"
    [ "$pass" = schedule ] || [ -s err ] || fail "--dump-after $pass printed nothing"
done
expect 0 'time code' "$rnet" build "$network" -D depth=20 -o m --time
expect_clean "$rnet" build "$network" -D depth=20 -o again
cmp -s m again || fail 'two builds differ'
expect_clean "$rnet" build "$network" -D depth=20 --emit obj -o m.obj
[ -s m.obj ] || fail '--emit obj wrote nothing'

# An output that can't be written, or a linker that fails, leaves what was there.
expect 1 "can't|failed" "$rnet" build "$network" -D depth=20 -o missing/m
mkdir bin
printf '#!/bin/sh\nexit 1\n' >bin/cc
chmod +x bin/cc
cp m before
expect 1 'failed to link' env PATH="$scratch/bin:$PATH" "$rnet" build "$network" -D depth=20 -o m
cmp -s m before || fail 'a failed link changed the executable that was there'
expect 1 'temporary' env TMPDIR=/dev/null "$rnet" build "$network" -D depth=20 -o m
[ -z "$(ls -d m.*.tmp 2>/dev/null)" ] || fail 'temporary files were left'

# The executable needs no compiler and no library of LLVM.
! ldd m | grep -qE 'LLVM|json|not found' || fail "the executable needs: $(ldd m)"
expect 0 'iresnet' "$rnet" run "$network" -D depth=20 -- info
finish
