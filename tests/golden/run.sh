#!/usr/bin/env bash
# Compares what rnet prints for tests/golden/FOLDER/NAME.rnet with the files beside it. The ending
# says which command: NAME.err is what `rnet check` prints to stderr, with the options that a file
# NAME.options holds; NAME.report what `rnet report` prints, NAME.fmt what `rnet fmt` makes of the
# file, NAME.ast, .graph and .kernels what `rnet build --emit` prints, NAME.cu its CUDA C, for
# inference.
#
#   run.sh [--update] [NAME...]    --update rewrites the files; read the difference before it stays
#
# Run from the build directory, or set RNET to the program.
set -u
rnet=$(realpath "${RNET:-$PWD/rnet}")
cd "$(dirname "$0")" || exit 1

update=false
if [ "${1:-}" = --update ]; then
    update=true
    shift
fi
if [ ! -x "$rnet" ]; then
    printf 'skipped: there is no %s\n' "$rnet"
    exit 77
fi

# format_copy FILE: what rnet fmt makes of a copy, and what it says
format_copy()
{
    local folder
    folder=$(mktemp -d)
    cp "$1" "$folder" && (cd "$folder" && "$rnet" fmt "$1"; cat "$1")
    rm -rf "$folder"
}

# produce NAME ENDING: what rnet prints, on stdout
produce()
{
    case $2 in
    err) { "$rnet" check "$1.rnet" $(cat "$1.options" 2>/dev/null) >/dev/null; } 2>&1 ;;
    report) "$rnet" report "$1.rnet" 2>&1 ;;
    fmt) format_copy "$1.rnet" 2>&1 ;;
    cu)
        # shellcheck disable=SC2046
        "$rnet" build --target cuda --inference --emit cuda "$1.rnet" \
            $(cat "$1.options" 2>/dev/null) 2>&1
        ;;
    ast | graph | kernels) "$rnet" build --emit "$2" "$1.rnet" 2>&1 ;;
    esac
}

# compare FOLDER/NAME.ENDING
compare()
{
    local folder=${1%/*} file=${1##*/}
    local name=${file%.*} ending=${file##*.}
    local actual
    actual=$(cd "$folder" || exit; produce "$name" "$ending"; echo .)
    actual=${actual%.}
    if $update; then
        printf '%s' "$actual" >"$1"
    elif ! printf '%s' "$actual" | diff -u --label "$1" --label printed "$1" -; then
        return 1
    fi
}

count=0
failures=0
for expected in */*.err */*.report */*.fmt */*.ast */*.graph */*.kernels */*.cu; do
    [ -e "$expected" ] || continue
    name=${expected##*/}
    case " ${*:-${name%.*}} " in
    *" ${name%.*} "*) ;;
    *) continue ;;
    esac
    count=$((count + 1))
    if ! compare "$expected"; then
        printf 'FAIL %s; alone: RNET=%s tests/golden/run.sh %s\n' "$expected" "$rnet" "${name%.*}"
        failures=$((failures + 1))
    fi
done
printf '%d of %d golden files differ\n' "$failures" "$count"
[ "$failures" -eq 0 ]
