#!/usr/bin/env bash
# `rnet fmt` over every .rnet file there is: idempotent; comments and the tree stay; files with
# mistakes of syntax are left alone; what ships with rnet is formatted.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"

# tree FILE: its tree without places
tree()
{
    "$rnet" build --emit ast "$1" 2>/dev/null | sed -E 's/ \[[0-9]+:[0-9]+-[0-9]+:[0-9]+\]$//'
}

# graph FILE: its network without places; nothing if it needs -D or has mistakes
graph()
{
    "$rnet" build --emit graph "$1" 2>/dev/null | sed -E 's/  [^ ]*:[0-9]+:[0-9]+$//'
}

# comments FILE: sorted, without blanks behind them
comments()
{
    sed -E 's/"[^"]*"//g' "$1" | grep -oE '//.*' | sed -E 's/[[:space:]]+$//' | sort
}

# check_formatting FILE: formats a copy, which lies beside what the file uses
check_formatting()
{
    local before=copy/before.rnet after=copy/after.rnet
    cp "$1" "$before"
    cp "$1" "$after"
    if ! "$rnet" build --emit ast "$before" >/dev/null 2>&1; then
        expect 1 'error\[E|not a text file' "$rnet" fmt "$after"
        cmp -s "$before" "$after" || fail "$1 has mistakes, and was changed"
        return
    fi
    expect_clean "$rnet" fmt "$after"
    expect_clean "$rnet" fmt --check "$after"
    cmp -s <(tree "$before") <(tree "$after") || fail "the tree of $1 changed"
    cmp -s <(comments "$before") <(comments "$after") || fail "the comments of $1 changed"
    ! grep -qE '[[:space:]]$' "$after" || fail "$1 has blanks at the end of a line"
    ! sed -E 's,//.*,,' "$after" | grep -qE '^.{101,}$' || [[ $1 == */fmt/long.rnet ]] ||
        fail "$1 has a line that is too long"
}

mkdir copy
count=0
while IFS= read -r file; do
    count=$((count + 1))
    check_formatting "$file"
done < <(find "$source_dir/stdlib" "$source_dir/examples" "$source_dir/tests" \
    "$source_dir/../shared/design" -name '*.rnet' 2>/dev/null | sort)
[ "$count" -gt 60 ] || fail "only $count files were formatted"

for file in "$source_dir"/examples/cifar/*.rnet; do
    cp "$file" copy/graph.rnet
    graph copy/graph.rnet >before
    "$rnet" fmt copy/graph.rnet
    graph copy/graph.rnet >after
    [ -s before ] || fail "$file has no graph"
    cmp -s before after || fail "the graph of $file changed"
done

# What ships with rnet.
find "$source_dir/stdlib" "$source_dir/examples" -name '*.rnet' \
    -exec "$rnet" fmt --check {} + >list || fail "not formatted: $(tr '\n' ' ' <list)"

# The command.
printf 'let a=1\n' >ugly.rnet
printf 'let a = 1\n' >pretty.rnet
cp ugly.rnet changed.rnet
expect 1 '^ugly.rnet$' "$rnet" fmt --check pretty.rnet ugly.rnet
[ "$(wc -l <out)" -eq 1 ] || fail "--check names other files too"
grep -qx 'let a=1' ugly.rnet || fail "--check changed a file"
expect_clean "$rnet" fmt pretty.rnet changed.rnet
cmp -s pretty.rnet changed.rnet || fail "changed.rnet is not formatted"
touch -d @1000 pretty.rnet
expect_clean "$rnet" fmt pretty.rnet
[ "$(stat -c %Y pretty.rnet)" -eq 1000 ] || fail "a formatted file was written again"
expect 1 'absent.rnet' "$rnet" fmt absent.rnet pretty.rnet
expect 2 'which file' "$rnet" fmt
expect 2 'unknown option -D' "$rnet" fmt -D a=1 pretty.rnet
expect 0 '^usage: rnet fmt' "$rnet" fmt --help
finish
