#!/usr/bin/env bash
# A network as `rnet build --target cuda` makes it, on the imitated driver and cuDNN: what the
# compiler writes is what the runtime finds. The modules are real, their kernels are found by name
# and do nothing; every convolution is described to cuDNN, whose imitation checks the shapes. Needs
# NVRTC, and no GPU.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/../cli/common.sh"
# shellcheck source=tests/cuda/common.sh
. "$source_dir/tests/cuda/common.sh"
imitate fake_driver.c lib/libcuda.so.1
imitate fake_cudnn.c lib/libcudnn.so.9
if ! "$RNET" build "$source_dir/examples/cifar/resnet.rnet" -D depth=20 -D batch=8 --target cuda \
    --gpu sm_90 -o network >log 2>&1; then
    grep -q NVRTC log || { cat log; exit 1; }
    printf 'skipped: %s\n' "$(tail -n 1 log)"
    exit 77
fi
grep -q __asan_init network && { echo 'skipped: needs a program without a sanitizer'; exit 77; }

# with_gpu [NAME=VALUE...] -- ARGUMENT...
with_gpu()
{
    local settings=()
    while [ "$1" != -- ]; do
        settings+=("$1")
        shift
    done
    shift
    env LD_LIBRARY_PATH=lib FAKE_CUDA_REPORT=report FAKE_CUDNN_REPORT=library \
        FAKE_CUDNN_NOTHING=1 "${settings[@]}" ./network "$@" >log 2>&1
}

with_gpu -- train --data shapes --steps 4 --out run || complain 'four steps'
[ "$(count_of report captures)" = 1 ] || complain "$(count_of report captures) graphs"
[ "$(count_of report graph_launches)" = 3 ] || complain 'the graph is not replayed'
[ "$(count_of report leaks)$(count_of library leaks)" = 00 ] || complain 'something leaks'
# 19 convolutions, 2 projections and the linear layer, forward and weights; data for all but one.
convolutions=$(($(count_of report library_calls) / 4))
printf '%s of the %s launches of a step are cuDNN\n' "$convolutions" \
    "$(($(count_of report launches) / 4))"
[ "$convolutions" -ge 60 ] || complain "cuDNN has $convolutions passes"
with_gpu RNET_NO_CUDNN=1 -- train --data shapes --steps 2 --out alone || complain 'without cuDNN'
[ "$(count_of report library_calls)" = 0 ] || complain 'cuDNN is used without being opened'
# No kernel computes here: every chain that is met leaves nothing, and is left.
with_gpu FAKE_CUDA_LAUNCH_TIME=9 -- bench --mode train --steps 2 --tune --json || complain 'tuned'
grep -qE '"device":"[^"]*, cuDNN 9.13.0, 0 of [0-9]+ chains"' log || complain 'chains are not counted'
with_gpu FAKE_CUDA_ARCHITECTURE=80 -- bench --mode infer && complain 'code for another GPU runs'
grep -q 'sm_80' log || complain 'another GPU is not named'
with_gpu -- eval --data shapes --weights run/last.safetensors || complain 'evaluation'

# Less of the GPU's memory: as planned, and what the library's working space adds left aside.
fact()
{
    ./network info --json | grep -oE "\"$1\":[0-9]+" | cut -d : -f 2
}
device_bytes()
{
    with_gpu RNET_NO_CUDNN=1 -- bench --mode train --steps 1 --json || complain 'bench'
    grep -oE '"device_bytes":[0-9]+' log | cut -d : -f 2
}
free=$(fact train_peak_bytes)
limit=$((free - $(fact train_activation_bytes) * 3 / 10))
[ "$(($(device_bytes) - free))" -lt 4096 ] || complain "more memory than the planned $free bytes"
"$RNET" build "$source_dir/examples/cifar/resnet.rnet" -D depth=20 -D batch=8 --target cuda \
    --gpu sm_90 --memory-limit "$limit" -o network >log 2>&1 || complain "$limit bytes"
taken=$(device_bytes)
printf '%s bytes of the GPU, %s within %s\n' "$free" "$taken" "$limit"
[ "$((taken - $(fact train_peak_bytes)))" -lt 4096 ] || complain 'more memory than planned'
[ "$taken" -le "$((limit + 4096))" ] || complain 'the limit is not kept'
with_gpu -- train --data shapes --steps 3 --out limited || complain 'three steps within the limit'
[ "$(count_of report graph_launches)" = 2 ] || complain 'the graph is not replayed'

# A grouped convolution in float32: its two gradients are ours, and nothing else changes.
cat >groups.rnet <<'EOF'
use cifar

network groups(groups = 8) {
    input image(3, 32, 32)
    conv(3, 32)
    conv(3, 32, stride = 2, groups = groups)
    global_avg_pool
    linear(10)
}

train groups = cifar_sgd()
EOF
for groups in 1 8; do
    "$RNET" build groups.rnet -D groups=$groups --target cuda --gpu sm_90 -o network >log 2>&1 ||
        complain "$groups groups"
    with_gpu -- train --data shapes --steps 2 --out "groups-$groups" || complain "$groups groups"
    count_of report library_calls >"calls-$groups"
done
[ $(($(cat calls-1) - $(cat calls-8))) = 4 ] ||
    complain "two steps have $(cat calls-1) calls of cuDNN without groups, $(cat calls-8) with"
[ "$failures" -eq 0 ]
