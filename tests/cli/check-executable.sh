#!/usr/bin/env bash
# A compiled network's command line, by the contract of its commands.
. "$(dirname "$0")/common.sh"
"$rnet" build "$source_dir/examples/cifar/resnet.rnet" -D depth=11 -D batch=16 -o m ||
    { echo 'FAIL: no executable'; exit 1; }

expect 2 'Usage' ./m
expect 2 'no command' ./m frobnicate
expect 0 'train' ./m --help
for command in train eval forward info bench; do
    expect 0 'usage|Usage' ./m "$command" --help
done
expect 2 'data' ./m train --out run
expect 2 'frob' ./m train --data shapes --out run --frob
expect 2 'steps' ./m train --data shapes --out run --steps many
expect 2 'soup' ./m train --data soup:x --out run
expect 1 'missing' ./m train --data cifar10:missing --out run

expect 0 'parameters' ./m info
expect_clean ./m info --json
grep -q '"network":"resnet"' out || fail 'info --json names no network'
grep -q '"parameters":[0-9]' out || fail 'info --json counts no parameters'
expect_clean ./m bench --mode infer --steps 2 --json
for key in mode batch steps threads median_seconds min_seconds images_per_second gflop_per_second \
    peak_rss_bytes; do
    grep -q "\"$key\":" out || fail "bench --json lacks $key"
done
expect_clean ./m bench --mode train --steps 1 --batch 3 --threads 3 --json
expect_clean ./m bench --mode train --steps 2 --batch 3 --threads 2 --profile --json
for key in peak_flop_per_second memory_bytes_per_second kernels calls share multiply_adds of_peak; do
    grep -q "\"$key\":" out || fail "bench --profile --json lacks $key"
done
expect 0 ' all$' ./m bench --mode infer --steps 1 --profile
printf '\n\n\n' >lines
expect_clean ./m bench --mode infer --batch 2 --turns <lines
{ [ "$(wc -l <out)" -eq 4 ] && [ "$(grep -cE '^[0-9.e-]+$' out)" -eq 3 ]; } || fail "bench --turns: $(cat out)"
expect 2 'turns' ./m bench --mode infer --turns --json
expect 2 'profile' ./m bench --mode load --data shapes --profile

# Training: what it writes, and that it overwrites nothing.
expect 0 . ./m train --data shapes --steps 3 --seed 5 --threads 1 --out run
[ "$(grep -c '"event":"step"' run/metrics.jsonl)" -eq 3 ] || fail 'not three steps in metrics.jsonl'
for file in metrics.jsonl last.safetensors report.html; do
    [ -s "run/$file" ] || fail "train wrote no $file"
done
cp run/last.safetensors before
expect 1 'run' ./m train --data shapes --steps 3 --out run
cmp -s before run/last.safetensors || fail 'a refused run changed the weights'
expect 0 . ./m train --data shapes --steps 2 --seed 5 --init run/last.safetensors --lr 0.01 --out more

expect_clean ./m eval --data shapes --weights run/last.safetensors --json
grep -qE '^\{"images":1000,"loss":[0-9.]+,"top1":[0-9.]+,"top5":[0-9.]+\}$' out ||
    fail "eval --json: $(cat out)"
expect 0 'right|wrong' ./m eval --data shapes --weights run/last.safetensors --show 4
expect 1 'missing' ./m eval --data shapes --weights missing.safetensors
head -c 1000 run/last.safetensors >short.safetensors
expect 1 'short' ./m eval --data shapes --weights short.safetensors

# Weights of another network are refused, by name.
"$rnet" build "$source_dir/examples/cifar/resnet.rnet" -D depth=20 -D batch=16 -o deeper
expect 1 'layer1.1.conv1.weight' ./deeper eval --data shapes --weights run/last.safetensors

# A signal: the step is finished, the weights are saved, the exit status says so.
./m train --data shapes --epochs 50 --out long 2>err &
child=$!
while [ ! -s long/metrics.jsonl ] && kill -0 $child 2>/dev/null; do sleep 0.05; done
kill -TERM $child
wait $child
[ $? -eq 75 ] || fail 'SIGTERM did not end with 75'
expect_clean ./m eval --data shapes --weights long/last.safetensors --json

# A rate that blows up: 70, and no weights that are not numbers.
expect 70 'finite' ./m train --data shapes --lr 1e30 --steps 30 --out wild
finish
