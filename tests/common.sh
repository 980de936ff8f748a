# What test scripts share: sourced, not run, from a folder of tests/.
# shellcheck shell=bash
set -u
source_dir=$(realpath "${RNET_SOURCE_DIR:-$(dirname "${BASH_SOURCE[0]}")/..}")
failures=0

# need PROGRAM...: skips the test where one is missing
need()
{
    local program
    for program; do
        [ -x "$program" ] && continue
        printf 'skipped: there is no %s\n' "$program"
        exit 77
    done
}

# enter_scratch: goes to a folder of its own, removed at the end; $scratch
enter_scratch()
{
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    cd "$scratch" || exit 1
}

# complain TEXT...: counts a failure, and shows how the file `log` begins where there is one
complain()
{
    printf 'FAIL %s\n' "$*"
    [ ! -s log ] || head -n 5 log
    failures=$((failures + 1))
}
