#!/usr/bin/env bash
# Depth is free: networks of 164 and 3002 layers have the same kernels, to the letter, and their
# plans grow by the same number of steps for each block. Counts only, never seconds.
# Run from the build directory, or set RNET to the compiler.
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
examples=$source_dir/examples/cifar
need "$rnet"
enter_scratch

# compile NETWORK DEPTH: its kernels into DEPTH.kernels, its plan's steps into DEPTH.steps
compile()
{
    "$rnet" build "$examples/$1.rnet" -D depth="$2" --emit kernels --dump-after memory \
        >"$2.kernels" 2>"$2.plan" || { tail -n 20 "$2.plan"; return 1; }
    grep -E '^ *[0-9]+ (train|update|infer|loss) ' "$2.plan" >"$2.steps"
}

# check NETWORK: 38, 164 and 3002 layers are 12, 54 and 1000 blocks
check()
{
    local short middle long
    compile "$1" 38 && compile "$1" 164 && compile "$1" 3002 || return 1
    short=$(wc -l <38.steps) middle=$(wc -l <164.steps) long=$(wc -l <3002.steps)
    printf '%s: %s kernels; %s, %s and %s steps in 38, 164 and 3002 layers\n' "$1" \
        "$(grep -c '^kernel ' 164.plan)" "$short" "$middle" "$long"
    if [ ! -s 164.kernels ] || ! diff -u 164.kernels 3002.kernels >difference; then
        head -n 20 difference
        printf 'the kernels of 164 and 3002 layers differ  FAIL\n'
        return 1
    fi
    if [ "$short" -eq 0 ] ||
        [ $(((middle - short) * (1000 - 54))) -ne $(((long - middle) * (54 - 12))) ]; then
        printf 'the number of steps is not linear in the number of blocks  FAIL\n'
        return 1
    fi
}

for network in iresnet resnet; do
    check "$network" || failures=$((failures + 1))
done
[ "$failures" -eq 0 ]
