#!/usr/bin/env bash
# `rnet compare`: one run, several, those of --repeat; what it writes; what is no run.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"
cat >net.rnet <<'END'
network net(width = 4, classes = 10) {
    input image(3, 32, 32)
    conv(3, width, stride = 4) >> bn >> relu
    global_avg_pool >> fc: linear(classes)
}
train net {
    data = shapes
    epochs = 2
    batch = 64
    optimizer = sgd(lr = 0.05, momentum = 0.9)
}
END
"$rnet" build net.rnet -o four && "$rnet" build net.rnet -D width=6 -o six ||
    { echo 'FAIL: no executables'; exit 1; }
expect 0 . ./four train --data shapes --out runs/four
expect 0 . ./six train --data shapes --epochs 1 --repeat 2 --out runs/six
grep -q '"finished":true' runs/four/run.json || fail "run.json: $(cat runs/four/run.json)"

# The table holds what metrics.jsonl and run.json do.
best=$(sed -n 's/.*"val_top1":\([0-9.]*\).*/\1/p' runs/four/metrics.jsonl | sort -n | tail -n 1 |
    awk '{ printf "%.2f", 100 - $1 }')
expect_clean "$rnet" compare runs/four runs/six -o page.html
grep -qE "^four +4 +2 +1 +2 +$best %" out || fail "the row of four (best $best): $(cat out)"
grep -qE '^six +6 +1 +2 +1 +[0-9.]+ ± [0-9.]+ %' out || fail "the row of six: $(cat out)"
[ -s page.html ] || fail 'no page'
grep -qE 'href=|src="?http|@import|<script' page.html && fail 'the page asks for something outside'
[ "$(grep -c '<polyline' page.html)" -eq 8 ] || fail 'not a line for each run in each of four charts'
[ "$(grep -c '<polygon class="band run1"' page.html)" -eq 4 ] || fail 'no band about the mean of two'
expect_clean "$rnet" compare runs/four/ --json
[ ! -e compare.html ] || fail '--json writes a page that nobody asked for'
printf '%s' "$(cat out)" | grep -qE "^\{\"runs\":\[\{\"name\":\"four\",\"directory\":\"runs/four/\",.*\"epochs\":2,\"best_error\":$(
    awk -v best="$best" 'BEGIN { print best + 0 }')," || fail "--json: $(cat out)"
expect_clean "$rnet" compare runs/six/seed-0 runs/six/seed-1
[ -s compare.html ] || fail 'no compare.html'
grep -qE '^seed-1 +1 ' out || fail "the seeds are no setting: $(cat out)"

# A line that is cut short is one of a run under way, a broken one an error with its place.
cp -r runs/four cut
truncate -s -20 cut/metrics.jsonl
sed -i 's/"finished":true/"finished":false/' cut/run.json
expect 0 '^cut .*  1  .*not finished' "$rnet" compare cut runs/four
rm cut/run.json
expect 0 '^cut ' "$rnet" compare cut runs/four
sed -i '3s/.*/{"event":/' cut/metrics.jsonl
expect 1 'cut/metrics.jsonl, line 3: this is no event' "$rnet" compare runs/four cut -o broken.html
[ ! -e broken.html ] || fail 'a page of broken runs'
sed -i '3s/.*/{"event":"epoch","epoch":7}/' cut/metrics.jsonl
expect 1 'line 3: the epochs are not in order' "$rnet" compare cut
printf 'run' >cut/run.json
expect 1 'cut/run.json is not a JSON object' "$rnet" compare cut

expect 1 'nowhere: there is no such directory' "$rnet" compare runs/four nowhere
expect 1 'runs is no run' "$rnet" compare runs
expect 1 'no/such' "$rnet" compare runs/four -o no/such/page.html
expect 2 'which runs' "$rnet" compare
expect 2 'unknown option --epochs' "$rnet" compare runs/four --epochs 3
expect 0 'several trainings' "$rnet" compare --help
finish
