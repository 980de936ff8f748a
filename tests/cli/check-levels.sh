#!/usr/bin/env bash
# --cpu: a network built for any level of processors gives the same bytes, and one built for what
# this machine lacks says so.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"

cat >net.rnet <<'END'
network net(classes = 10) {
    input image(3, 32, 32)
    conv(3, 20) >> bn >> silu >> conv(3, 24, stride = 2, groups = 4) >> bn >> gelu >>
    max_pool(2) >> layer_norm >> global_avg_pool >> linear(classes)
}
recipe short() {
    data      = cifar10
    epochs    = 1
    batch     = 6
    init      = he_normal(fan_out)
    optimizer = sgd(lr = 0.1, momentum = 0.9, weight_decay = 1e-4)
}
train net = short
END

# runs LEVEL: whether its training ran; leaves its weights and losses in LEVEL, or a refusal
runs()
{
    expect_clean "$rnet" build net.rnet --cpu "$1" -o "net-$1"
    "./net-$1" train --data shapes --steps 3 --seed 2 --out "$1" >out 2>err && return
    expect 1 'was built for a processor with [a-z0-9., ]+, which is not so here' \
        "./net-$1" train --data shapes --steps 3 --seed 2 --out "$1"
    [ ! -e "$1" ] || fail "--cpu $1: what is refused leaves a directory behind"
    expect_clean "./net-$1" info
    return 1
}

losses()
{
    sed -E 's/,"images_per_second":[^,}]*//' "$1/metrics.jsonl"
}

[ "$(uname -m)" = x86_64 ] || { echo 'skipped: the levels are those of x86-64'; exit 77; }
runs native || fail "what is built for this machine does not run: $(cat err)"
levels=0
for level in x86-64-v2 x86-64-v3 x86-64-v4; do
    runs "$level" || continue
    levels=$((levels + 1))
    cmp -s native/last.safetensors "$level/last.safetensors" || fail "$level: other weights"
    cmp -s <(losses native) <(losses "$level") || fail "$level: other losses"
done
[ "$levels" -gt 0 ] || fail 'no level runs here'
echo "$levels levels run here, to the same bytes"

# No processor is both.
runs sapphirerapids && runs bdver4 && fail 'code for another processor is not refused'
finish
