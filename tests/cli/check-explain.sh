#!/usr/bin/env bash
# `rnet explain`: every code has a text; each wrong example gets that code and no other, each mended
# one nothing. An example is checked by `rnet check example.rnet`, or by the command in its first
# line. Then `--diagnostics=json`.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"

# codes_of FILE: the codes that rnet reports for it, each once
codes_of()
{
    local words
    cp "$1" example.rnet
    read -r -a words < <(sed -n '1s,^// rnet ,,p' example.rnet)
    [ "${#words[@]}" -gt 0 ] || words=(check example.rnet)
    "$rnet" "${words[@]}" 2>&1 >/dev/null |
        sed -nE 's/^(error|warning)\[([A-Z0-9]+)\]:.*/\2/p' | sort -u
}

# A code without an example is one that no file shows.
without_example="E0001 E0005 E0037 E0038"
count=0
for code in $("$rnet" explain | cut -d' ' -f1); do
    count=$((count + 1))
    rm -f wrong mended
    "$rnet" explain "$code" >text || fail "rnet explain $code"
    ! grep -q '(null)' text || fail "$code has no text"
    awk '/^Wrong:$/ { out = "wrong"; next } /^Mended:$/ { out = "mended"; next }
         out { sub(/^    /, ""); if (NF || begun[out]) { print > out; begun[out] = 1 } }' text
    if [ ! -e wrong ]; then
        [[ " $without_example " == *" $code "* ]] || fail "$code has no example"
        continue
    fi
    found=$(codes_of wrong)
    [ "$found" = "$code" ] || fail "the wrong example of $code gets: $found"
    found=$(codes_of mended)
    [ -z "$found" ] || fail "the mended example of $code gets: $found"
done
[ "$count" -ge 40 ] || fail "rnet explain lists $count codes"

expect 0 '^E0012: ' "$rnet" explain e0012
expect 2 'did you mean E0012' "$rnet" explain E0O12
expect 2 'one code at a time' "$rnet" explain E0001 E0002

printf 'network n {\n    input image(3, 8, 8)\n    conv(3, 16, strids = 2)\n}\n' >wrong.rnet
printf 'network n {\n    input image(3, 8, 8)\n    conv(3, 16)\n}\n' >right.rnet
expect 1 '"code":"E0013".*"begin":\{"line":3,"column":17\},"end":\{"line":3,"column":23\}' \
    "$rnet" check --diagnostics=json wrong.rnet
[ ! -s err ] || fail "--diagnostics=json says something on standard error"
grep -q '"notes":\[{"kind":"help","message":"did you mean `stride`?","file":null' out ||
    fail "a help is missing: $(cat out)"
expect_clean "$rnet" check --diagnostics=json right.rnet
[ "$(cat out)" = '[]' ] || fail "no diagnostics are an empty array: $(cat out)"
expect_clean "$rnet" build --diagnostics=json right.rnet --emit graph -o graph
[ "$(cat out)" = '[]' ] || fail "build prints one array: $(cat out)"
expect 1 '^\[\{"code":"E0032"' "$rnet" build --diagnostics=json right.rnet --emit kernels
expect 2 'expected text or json' "$rnet" check --diagnostics=xml right.rnet
finish
