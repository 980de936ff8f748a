#!/usr/bin/env bash
# --inference: networks without recipe or loss, several outputs, and what such a program refuses.
. "$(dirname "$0")/common.sh"

cat >whole.rnet <<'END'
network whole {
    input image(3, 6, 5)
    conv1: conv(3, 24) >> relu >> global_avg_pool >> fc: linear(10)
}

train whole {
    data      = shapes
    epochs    = 1
    batch     = 4
    optimizer = sgd(lr = 0.1)
}
END
cat >taps.rnet <<'END'
network taps {
    input image(3, 6, 5)
    output image = identity
    output rows  = rows(3)
    output pairs = rows(1)
    output pairs = [identity, identity] >> rows(1)
    conv1: conv(3, 24) >> relu
    output features = identity
    output scores   = global_avg_pool >> fc: linear(10)
}
END

# npy_write COUNT: that many float32 images of 3 x 6 x 5, of value 0, 1, 2, ..., on standard output
npy_write()
{
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
        "{'descr': '<f4', 'fortran_order': False, 'shape': ($1, 3, 6, 5), }"
    printf '%b' "$(LC_ALL=C awk -v count="$(($1 * 90))" 'BEGIN {
        for (i = 0; i < count; i++) { # 2^e (1 + m / 2^23), by hand
            e = 0
            while (2 ^ (e + 1) <= i) e++
            bits = i == 0 ? 0 : (e + 127) * 2 ^ 23 + (i / 2 ^ e - 1) * 2 ^ 23
            for (b = 0; b < 4; b++) { printf "\\0%03o", bits % 256; bits = int(bits / 256) }
        }
    }')"
}

# values FILE: its numbers, one a line
values()
{
    tail -c +129 "$1" | od -An -v -tf4 -w4 | tr -d ' '
}

# shape FILE
shape()
{
    head -c 128 "$1" | tail -c +11 | sed -nE "s/.*'shape': \(([0-9, ]*[0-9]),? *\).*/\1/p"
}

expect 1 'E0032' "$rnet" build taps.rnet -o taps
grep -q -e '--inference' err || fail 'the refusal does not name --inference'
expect_clean "$rnet" build taps.rnet --inference -o taps
expect_clean "$rnet" build whole.rnet --inference -o part
expect_clean "$rnet" build whole.rnet -o whole

# Weights as a training leaves them; images that fill no batch.
npy_write 6 >train_x.npy
for part in train val; do
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n\0\1\2\3\4\5' \
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }" >"${part}_y.npy"
done
cp train_x.npy val_x.npy
expect 0 . ./whole train --data npy:. --steps 1 --lr 0.001 --out run
expect_clean ./whole forward --weights run/last.safetensors --input val_x.npy --output logits.npy
expect_clean ./part forward --weights run/last.safetensors --input val_x.npy --output part.npy
cmp logits.npy part.npy || fail 'without training the logits are others'
expect 0 'top-1' ./part eval --data npy:. --weights run/last.safetensors
expect 1 'inference' ./part train --data npy:. --out other
expect 1 'inference' ./part bench --mode train --steps 1
expect 0 'infer' ./part bench --mode infer --steps 1

# Each output into its own file.
expect_clean ./taps forward --weights run/last.safetensors --input val_x.npy --output y.npy
ls y.*.npy | tr '\n' ' ' >out
grep -qx 'y.features.npy y.image.npy y.pairs.npy y.rows.npy y.scores.npy ' out || fail "files: $(cat out)"
cmp <(values y.image.npy) <(values val_x.npy) || fail 'identity changes the image'
cmp <(values y.scores.npy) <(values logits.npy) || fail 'the scores are not the logits'
cmp <(values y.rows.npy) <(values val_x.npy | awk '{ x[NR - 1] = $1 } END {
    for (n = 0; n < 6; n++) for (r = 0; r < 30; r++) for (c = 0; c < 3; c++)
        print x[n * 90 + c * 30 + r] }') || fail 'rows(3) is not the transposed image'
cmp <(values y.pairs.npy) <(values val_x.npy | awk '{ x[NR - 1] = $1 } END {
    for (n = 0; n < 6; n++) for (copy = 0; copy < 3; copy++) for (i = 0; i < 90; i++)
        print x[n * 90 + i] }') || fail 'outputs of one name are not joined in order'
for pair in 'image 6, 3, 6, 5' 'rows 6, 30, 3' 'pairs 6, 270, 1' 'features 6, 24, 6, 5' 'scores 6, 10'; do
    [ "$(shape "y.${pair%% *}.npy")" = "${pair#* }" ] ||
        fail "y.${pair%% *}.npy has the shape $(shape "y.${pair%% *}.npy")"
done
expect 1 'forward' ./taps predict --weights run/last.safetensors picture.png
expect 1 'forward' ./taps eval --data npy:. --weights run/last.safetensors
expect 1 'inference' ./taps train --data npy:. --out other
expect 0 'usage|Usage' ./taps train --help
expect_clean ./taps info --json
finish
