#!/usr/bin/env bash
# `rnet explore`: what it trains and writes, going on after any kill, what it refuses.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"
cat >net.rnet <<'END'
block narrow(width) = conv(3, width, stride = 4) >> bn >> relu
block wide(width) = narrow(2 * width)
network net(width = 2, body = narrow, widths = [2], classes = 10) {
    input image(3, 32, 32)
    for w in widths { body(w) }
    body(width)
    global_avg_pool >> fc: linear(classes)
}
train net {
    data = shapes
    epochs = 1
    batch = 64
    optimizer = sgd(lr = 0.05, momentum = 0.9)
}
END

# explore OPTION...: with data that needs no files
explore()
{
    "$rnet" explore net.rnet --data shapes "$@"
}

# files DIR: what must not depend on how often an exploration was stopped
files()
{
    (cd "$1" && sha256sum ./*/seed-*/{best,last}.safetensors)
}

# rows: the table in `out`, without the speed
rows()
{
    sed 's/ [0-9,]*$//; s/  */ /g; /curves/d' out
}

# Two parameters, one of blocks, one of lists: all combinations, each trained as its executable does.
expect 0 '^narrow +\[2\] +1 +1 ' explore --vary body=narrow,wide --vary 'widths=[2],[2, 3]' --out all
[ "$(grep -cE '^(narrow|wide) +\[2(, 3)?\] +1 +1 +[0-9.]+ %' out)" -eq 4 ] || fail "four rows: $(cat out)"
rows >table
grep -q '2/4 body=narrow widths=\[2, 3\]: training' err || fail "no progress: $(cat err)"
grep -q 'about [0-9:]* left' err || fail "no time left: $(cat err)"
[ "$(grep -c '<polyline' all/report.html)" -eq 16 ] || fail 'not four curves in four charts'
grep -q 'What each choice' all/report.html || fail 'the page does not tell the choices apart'
"$rnet" build net.rnet -D body=wide -D 'widths=[2, 3]' -o single
expect 0 . ./single train --data shapes --out single-run
cmp -s single-run/last.safetensors "$(echo all/*wide*2__3*/seed-0/last.safetensors)" ||
    fail 'a variant is not what build makes'

# Killed at any moment, it ends in the same bytes.
command=("$rnet" explore net.rnet --data shapes --vary body=narrow,wide --vary 'widths=[2],[2, 3]')
RANDOM=${SEED:-11}
for _ in 1 2 3 4 5 6; do
    "${command[@]}" --out killed -- --checkpoint-every 10 >out 2>err &
    sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
    { kill -KILL $!; wait $!; } 2>/dev/null
done
"${command[@]}" --out killed -- --checkpoint-every 10 >out 2>err || fail "after the kills: $(cat err)"
[ -n "$(files all)" ] && [ "$(files all)" = "$(files killed)" ] || fail 'kills changed weights'
cmp table <(rows) || fail "kills changed the table: $(cat out)"
[ -z "$(find killed -name '*tmp*')" ] || fail "left behind: $(find killed -name '*tmp*')"

# Done is done; more values, seeds: only these are trained.
before=$(files all)
expect 0 . explore --vary body=narrow,wide --vary 'widths=[2],[2, 3]' --out all --json
[ "$(grep -c 'finished before' err)" -eq 4 ] || fail "what is finished is done again: $(cat err)"
grep -qE '^\{"runs":\[\{"name":"body=narrow widths=\[2\]","directory":"all/[^"]*","settings":\{"body":"narrow","widths":"\[2\]"\}' out ||
    fail "--json: $(cat out)"
expect 0 '^wide +\[2\] +2 +1 +[0-9.]+ ± ' explore --vary body=wide --vary 'widths=[2]' --repeat 2 --out all
[ "$(grep -c 'finished before' err)" -eq 1 ] || fail "a second seed: $(cat err)"
[ "$(files all | grep -cF "$before")" -ne 0 ] || [ -z "$before" ] || fail 'what was finished has changed'

# A signal: the training saves, the exploration says 75 and goes on.
for signal in TERM INT; do
    env --default-signal=INT "$rnet" explore net.rnet --data shapes --vary width=2,3 --epochs 90 \
        --out "$signal" >out 2>err &
    child=$!
    while [ ! -s "$signal/width=2/seed-0/metrics.jsonl" ] && kill -0 $child 2>/dev/null; do
        sleep 0.05
    done
    expect 1 'another exploration is at work' explore --vary width=2,3 --epochs 90 --out "$signal"
    kill "-$signal" $child
    wait $child
    status=$?
    [ "$status" -eq 75 ] || fail "SIG$signal ends with $status"
    [ -s "$signal/width=2/seed-0/last.safetensors" ] || fail "SIG$signal leaves no weights"
    expect 0 'not finished' "$rnet" compare "$signal/width=2" -o "$signal.html"
done

# Another budget, another network: refused, and nothing is lost.
before=$(files all)
expect 1 'all holds an exploration with --epochs as in the recipe, not 3' \
    explore --vary body=wide --epochs 3 --out all
expect 1 'with --data shapes, not npy:x' "$rnet" explore net.rnet --data npy:x --vary body=wide --out all
expect 1 'with options of train of none, not --no-shuffle' explore --vary body=wide --out all -- --no-shuffle
sed 's/wide(width) = narrow(2/wide(width) = narrow(3/' net.rnet >other.rnet
expect 1 'was trained as another network' "$rnet" explore other.rnet --data shapes \
    --vary body=narrow,wide --vary 'widths=[2],[2, 3]' --out all
sed 's,^network,// a remark changes nothing\nnetwork,' net.rnet >other.rnet
expect 0 'finished before' "$rnet" explore other.rnet --data shapes --vary body=narrow,wide \
    --vary 'widths=[2],[2, 3]' --out all
[ "$(files all)" = "$before" ] || fail 'a refused exploration changed something'

# A variant that diverges is a result; the others are trained.
sed 's/ >> bn >> relu//' net.rnet >wild.rnet
expect 70 '^1e8 .*diverged' "$rnet" explore wild.rnet --data shapes --vary lr=1e8,0.01 --out wild
grep -q '1/2 lr=1e8: the loss of step .* is not finite' err || fail "divergence is not said: $(cat err)"
grep -qE '^0.01 +1 +1 +[0-9.]+ %' out || fail "the other is not trained: $(cat out)"
expect 70 'diverged before' "$rnet" explore wild.rnet --data shapes --vary lr=1e8,0.01 --out wild

# Mistakes show before anything is trained.
expect 1 'E0033.*-D widht: neither the network nor its recipe' explore --vary widht=2,3 --out bad
expect 1 '2 of 4 variants can.t be built; nothing was trained' \
    explore --vary width=2,3 --vary body=narrow,wild --out bad
[ "$(grep -c 'E0012.*wild' err)" -eq 1 ] || fail "the same mistake is said twice: $(cat err)"
[ ! -e bad ] || fail 'a directory of an exploration that never was'
expect 2 'what varies' explore --out bad
expect 2 'which data' "$rnet" explore net.rnet --vary width=2
expect 2 'expected NAME=A,B' explore --vary width
expect 2 'a value is missing' explore --vary width=2,,3
expect 2 '2 stands there twice' explore --vary width=2,2
expect 2 'the brackets of' explore --vary 'widths=[2,3'
expect 2 'the brackets of' explore --vary 'widths=2],3'
expect 2 'width is varied' explore --vary width=2,3 -D width=4
expect 2 'stands there twice' explore --vary width=2,3 --vary width=4
expect 2 'more than 1000 variants' explore --vary "width=$(seq -s , 40)" --vary "lr=$(seq -s , 40)"
expect 2 'epochs must be at least 1' explore --vary width=2 --epochs 0
expect 2 'expected a whole number' explore --vary width=2 --seed x
expect 2 'it stands before --' explore --vary width=2 -- --out=x
# Wrong data is the executable's to say; right data goes on in the same place.
expect 1 'cannot open nowhere' "$rnet" explore net.rnet --data npy:nowhere --vary width=2 --out late
expect 2 'there is no data set' "$rnet" explore net.rnet --data soup --vary width=2 --out late
expect 0 . explore --vary width=2 --out late
mkdir blocked && printf x >blocked/explore.json
expect 1 'blocked/explore.json is not what' explore --vary width=2 --out blocked
expect 1 'net.rnet. is not a directory' explore --vary width=2 --out net.rnet
expect 0 '--vary NAME=A,B' "$rnet" explore --help
finish
