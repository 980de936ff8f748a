# What the scripts here share: sourced, not run. Needs RNET, the compiler.
set -u
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
source_dir=$(realpath "${RNET_SOURCE_DIR:-$(dirname "$0")/../..}")
if [ ! -x "$rnet" ]; then
    echo "skipped: there is no $rnet"
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failures=0

fail()
{
    printf 'FAIL %s\n' "$*"
    failures=$((failures + 1))
}

# expect STATUS PATTERN COMMAND...: the exit status, and a line of its output that matches.
expect()
{
    local status=$1 pattern=$2 got
    shift 2
    "$@" >out 2>err
    got=$?
    [ "$got" -eq "$status" ] || fail "exit status $got, not $status: $*: $(head -n 3 err)"
    [ -z "$pattern" ] || cat out err | grep -qE -e "$pattern" || fail "nothing like '$pattern' from: $*: $(head -n 3 err)"
}

# expect_clean COMMAND...: succeeds and says nothing on standard error.
expect_clean()
{
    expect 0 '' "$@"
    [ ! -s err ] || fail "standard error is not empty: $*: $(head -n 3 err)"
}

finish()
{
    [ "$failures" -eq 0 ] && echo "ok"
    exit $((failures != 0))
}
