#!/usr/bin/env bash
# All rows of the paper's tables (rows.txt): exact parameters, GFLOPs to the last printed digit, and
# where the paper prints the baseline's number, that the baseline gives it. Every row takes a
# moment; the limit on the whole is that they are compiled only as far as a report needs.
# Run from the build directory, or set RNET to the compiler.
set -u
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
cd "$(dirname "$0")" || exit 1
examples=../../examples

if [ ! -x "$rnet" ]; then
    printf 'skipped: there is no %s\n' "$rnet"
    exit 77
fi

# measure NETWORK SETTINGS COUNT: sets parameters, gflops
measure()
{
    local options=() setting json
    for setting in ${2//,/ }; do
        options+=(-D "$setting")
    done
    json=$("$rnet" report "$examples/$1.rnet" "${options[@]}" --count "$3" --json) || return 1
    json=${json#*\"count\":}
    parameters=${json#*\"parameters\":}
    parameters=${parameters%%,*}
    gflops=${json#*\"gflops\":}
    gflops=${gflops%%,*}
}

# rounded NUMBER LIKE: with as many digits behind the point as LIKE has
rounded()
{
    local digits=${2#*.}
    printf '%.*f' "${#digits}" "$1"
}

# compare WHAT MEASURED EXPECTED
compare()
{
    [ "$2" = "$3" ] && return
    printf 'table %s, %s, %s: %s is %s, not %s\n' "$table" "$network" "$settings" "$1" "$2" "$3"
    failures=$((failures + 1))
}

check_row()
{
    measure "$network" "$settings" "$count" || { failures=$((failures + 1)); return; }
    compare parameters "$parameters" "$exact"
    exact=$(printf '%d.%06d' $((parameters / 1000000)) $((parameters % 1000000)))
    compare 'parameters in millions' "$(rounded "$exact" "$millions")" "$millions"
    compare GFLOPs "$(rounded "$gflops" "$counted")" "$counted"
    if [ "$from" = baseline ]; then
        measure imagenet/resnet "$settings" "$count" || failures=$((failures + 1))
        printf 'table %s, %s, %s: %s GFLOPs; the paper prints its baseline'\''s %s\n' \
            "$table" "$network" "$settings" "$counted" "$printed"
        copied=$((copied + 1))
    fi
    compare 'GFLOPs as printed' "$(rounded "$gflops" "$printed")" "$printed"
}

failures=0 rows=0 copied=0
while read -r table network settings exact millions count counted printed from; do
    case $table in
    '#'* | '') continue ;;
    esac
    rows=$((rows + 1))
    check_row
done <rows.txt
printf '%d rows, %d of them printed with the number of the baseline, %d mistakes\n' \
    "$rows" "$copied" "$failures"
[ "$failures" -eq 0 ] && [ "$rows" -eq 86 ]
