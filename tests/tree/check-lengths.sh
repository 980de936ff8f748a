#!/usr/bin/env bash
# Prints for every folder how long its functions are (median, 95th percentile, longest) and how many
# lines are wider than 100 columns. Fails only for a function of more than 120 lines that is not a
# dispatch switch named below.
set -u
cd "$(dirname "$0")/../.." || exit 1

longest_allowed=120
dispatch_switches=""

# function_lengths FILE...: "LINES FUNCTION FILE:LINE" for every function. A function is what
# stands between a brace alone in the first column and the next one that closes there.
function_lengths()
{
    awk '
        FNR == 1 { name = "" }
        /^[A-Za-z_].*\(/ && !/;[ \t]*$/ {
            name = $0
            sub(/\(.*/, "", name)
            sub(/.*[ *]/, "", name)
        }
        /^\{/ { start = FNR }
        /^\}/ && start { print FNR - start + 1, name, FILENAME ":" start; start = 0 }
    ' "$@"
}

failures=0
printf '%-10s %9s %7s %4s %5s %11s\n' folder functions median p95 max 'wide lines'
for folder in base lang compiler codegen runtime driver; do
    mapfile -t files < <(find "$folder" -name '*.c' | sort)
    [ "${#files[@]}" -gt 0 ] || continue
    lengths=$(function_lengths "${files[@]}" | sort -n)
    wide=$(find "$folder" -name '*.[chly]' -exec cat {} + | grep -cE '^.{101,}')
    awk -v folder="$folder" -v wide="$wide" '
        { length_of[NR] = $1 }
        END {
            printf "%-10s %9d %7d %4d %5d %11d\n", folder, NR, length_of[int((NR + 1) / 2)],
                length_of[int(NR * 0.95 + 0.5)], length_of[NR], wide
        }' <<<"$lengths"
    while read -r length name place; do
        [ "${length:-0}" -gt "$longest_allowed" ] || continue
        case " $dispatch_switches " in
        *" $name "*) ;;
        *)
            printf '%s: %s has %s lines\n' "$place" "$name" "$length"
            failures=$((failures + 1))
            ;;
        esac
    done <<<"$lengths"
done
[ "$failures" -eq 0 ]
