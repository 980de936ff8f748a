#!/usr/bin/env bash
# Picture files: training on a directory of classes, the same on any number of threads and after a
# kill; eval, predict, and what happens to a broken file. LINEAR is a small classifier of 32 x 32
# images (tests/unit/fixture_program.c); RNET_TEST_DATA holds imagenet-sample.
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
linear=$(realpath -m "${LINEAR:-$PWD/tests/train/linear}")
sample=${RNET_TEST_DATA:-$(dirname "$0")/../../../shared/data}/imagenet-sample/val

if [ ! -x "$linear" ] || [ ! -d "$sample" ]; then
    printf 'skipped: needs %s and %s (RNET_TEST_DATA)\n' "$linear" "$sample"
    exit 77
fi
sample=$(realpath "$sample")
enter_scratch

# Ten classes of the sample, for training and validation alike.
mkdir -p data/train data/val
for class in $(ls "$sample" | head -n 10); do
    cp -r "$sample/$class" data/train/
    ln -s "$sample/$class" data/val/
done

lines()
{
    grep -v '"event":"resume"' "$1/metrics.jsonl" |
        sed -E 's/"(images_per_second|waiting)":[^,}]*//g'
}

# train DIR OPTION...
train()
{
    "$linear" train --data imagenet:data --no-augment --epochs 8 --seed 2 --out "$@" >out 2>log
}

for threads in 1 2 4; do
    train "$threads" --threads "$threads" || { cat log; complain 'training fails'; }
    cmp 1/last.safetensors "$threads/last.safetensors" || complain "$threads threads differ"
    cmp <(lines 1) <(lines "$threads") || complain "the metrics of $threads threads differ"
done
grep -q '"event":"loader","epoch":7,"waiting":' 1/metrics.jsonl || complain 'no share of waiting'

for delay in 0.05 0.1 0.15 0.2; do
    "$linear" train --data imagenet:data --no-augment --epochs 8 --seed 2 --out killed --resume \
        --checkpoint-every 1 >out 2>log &
    sleep "$delay"
    kill -KILL $! 2>>log
    wait $! 2>>log
done
train killed --resume || { cat log; complain 'no resume'; }
cmp 1/last.safetensors killed/last.safetensors || complain 'a killed run ends elsewhere'

# The recipe's own augmentation crops before it resizes, which pictures of many sizes do not allow.
"$linear" train --data imagenet:data --out wrong >out 2>log
[ $? -eq 1 ] && grep -q 'must come before' log || complain 'unsized pictures are not refused'

"$linear" eval --data imagenet:data --weights 1/last.safetensors --json >out 2>log ||
    complain 'eval fails'
top1=$(sed -n 's/.*"event":"epoch","epoch":7.*"val_top1":\([0-9.]*\).*/\1/p' 1/metrics.jsonl)
grep -q "\"images\":10,.*\"top1\":$top1," out || { cat out; complain "eval differs from $top1"; }

image=$(ls data/val/*/*.JPEG | head -n 1)
"$linear" predict --weights 1/last.safetensors --top 2 --json "$image" "$image" >out 2>log ||
    { cat log; complain 'predict fails'; }
grep -qE '^\[\{"image":"[^"]*","classes":\[\{"index":[0-9],"name":"n[0-9]+","score":0\.[0-9]+\},\{[^]]*\]\},\{.*\}\]$' out ||
    { cat out; complain 'predict --json'; }
"$linear" predict --weights 1/last.safetensors data/val/*/*.JPEG >out 2>log
[ "$(grep -c '%' out)" -eq 50 ] || complain 'predict does not print five classes for each image'
"$linear" predict --weights 1/last.safetensors >out 2>log
[ $? -eq 2 ] || complain 'predict without an image is not a wrong usage'

# A broken file: one message with its name, exit 1.
broken=$(ls data/train/*/*.JPEG | tail -n 1)
truncate -s 3000 "$broken"
train broken
[ $? -eq 1 ] || complain 'a broken picture is not an error'
grep -q "cannot use $broken: it is not a sound JPEG file" log || { cat log; complain 'the message'; }
"$linear" predict --weights 1/last.safetensors "$broken" >out 2>log
[ $? -eq 1 ] || complain 'predict takes a broken picture'
rm "$broken"
train empty
[ $? -eq 1 ] && grep -q 'holds no pictures' log || complain 'an empty class is not refused'
[ "$failures" -eq 0 ]
