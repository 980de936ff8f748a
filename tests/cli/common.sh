# What the scripts here share: sourced, not run. Needs RNET, the compiler.
# shellcheck shell=bash
# shellcheck source=tests/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
need "$rnet"
enter_scratch

fail()
{
    complain "$@"
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
