#!/usr/bin/env bash
# `rnet report`, `rnet graph` and `rnet diff`: their options, their forms of output, and failures.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"
examples=$source_dir/examples
export LC_ALL=C.UTF-8

# holds PATTERN FILE: a line of the file matches
holds()
{
    grep -qE -e "$1" "$2" || fail "nothing like '$1' in $2: $(head -n 3 "$2")"
}

expect_clean "$rnet" report "$examples/cifar/iresnet.rnet" -D depth=20
holds '^layer2 +2 +23 +\[128, 16, 16\]' out
expect 0 '^parameters +220,378$' "$rnet" report "$examples/cifar/iresnet.rnet" -D depth=20
expect 0 '^\* layer1\.1\.bn3 ' "$rnet" report --layers "$examples/cifar/iresnet.rnet" -D depth=20
expect 0 'counted as thop-all$' "$rnet" report --count thop-all "$examples/cifar/iresnet.rnet"
expect_clean "$rnet" report --json "$examples/cifar/iresnet.rnet" -D depth=20
[ "$(wc -l <out)" -eq 1 ] || fail 'report --json prints more than one line'
holds '^\{"network":"iresnet","input":\[3, 32, 32\],"classes":10,"depth":20,.*"parameters":220378,' out
holds '"main_path":\{"conv":3,"bn":6,"relu":3,"max_pool":2,' out
expect 0 '"train_memory_bytes":null' "$rnet" report --json "$examples/coco/ssd300.rnet"
expect 2 'macs, thop or thop-all' "$rnet" report --count flops "$examples/cifar/iresnet.rnet"
expect 1 'no-such' "$rnet" report no-such.rnet
for example in "$examples"/*/*.rnet; do
    expect_clean "$rnet" report "$example"
done

# Every stage is a cluster; nine blocks in nine clusters; the main path is thick.
expect_clean "$rnet" graph "$examples/cifar/iresnet.rnet" -D depth=29 -o small.dot
[ "$(grep -c 'subgraph cluster_stage' small.dot)" -eq 5 ] || fail 'five stages are not five clusters'
[ "$(grep -c 'subgraph cluster_block' small.dot)" -eq 9 ] || fail 'nine blocks are not nine clusters'
holds 'penwidth=3' small.dot
# A deep network has as many as a shallow one: equal neighbours are one.
expect_clean "$rnet" graph "$examples/cifar/iresnet.rnet" -D depth=3002 -o deep.dot
[ "$(grep -c 'subgraph cluster_block' deep.dot)" -eq 12 ] || fail 'deep stages are not folded'
holds 'layer2\.2 <B>. 331</B>' deep.dot
expect_clean "$rnet" graph "$examples/cifar/iresnet.rnet" -D depth=3002 -o again.dot
cmp -s deep.dot again.dot || fail 'two drawings of one network differ'
expect 2 'where to' "$rnet" graph "$examples/cifar/iresnet.rnet"
expect 1 "can't write|no/such" "$rnet" graph "$examples/cifar/iresnet.rnet" -o no/such/folder.dot
expect 1 'Debian package graphviz' env PATH=/nowhere "$rnet" graph \
    "$examples/cifar/iresnet.rnet" -o picture.svg
[ "$(find . -name 'picture*' | wc -l)" -eq 0 ] || fail 'a drawing that failed leaves files'
if command -v dot >/dev/null; then
    expect 0 '' "$rnet" graph "$examples/imagenet/iresnet.rnet" -o picture.svg
    holds '<svg' picture.svg
    expect 0 '' dot -Tcanon small.dot
else
    echo 'no dot here: pictures are not checked'
fi

expect_clean "$rnet" diff "$examples/cifar/resnet.rnet" -D depth=20
holds '^no layer differs$' out
expect_clean "$rnet" diff "$examples/cifar/resnet.rnet" --a depth=20 --b depth=29
holds '^\+ layer2\.2  the whole block$' out
expect_clean "$rnet" diff "$examples/cifar/resnet.rnet" "$examples/cifar/iresnet.rnet" -D depth=29
holds '^  relu +9 +3 +-6$' out
holds '^~ layer1\.1-2  add: reads bn3 and the block.s input . conv3 and' out
holds '^\+ layer2\.0  downsample.max_pool' out
expect 0 '"kind":"only_b","what":"block","name":"layer2.2"' \
    "$rnet" diff --json "$examples/cifar/resnet.rnet" --a depth=20 --b depth=29
expect 2 '--b depth: expected NAME=VALUE' "$rnet" diff "$examples/cifar/resnet.rnet" --b depth
expect 1 'E0' "$rnet" diff "$examples/cifar/resnet.rnet" --b depht=20
finish
