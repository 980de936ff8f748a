# What the scripts here share: sourced, not run.
# shellcheck shell=bash
# shellcheck source=tests/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

# imitate SOURCE FOLDER/SONAME [PROGRAM]: compiles a library of tests/cuda under the name that the
# runtime asks for, with the sanitizers that PROGRAM has
imitate()
{
    local sanitizer=
    [ -n "${3:-}" ] && grep -q __asan_init "$3" && sanitizer=-fsanitize=address,undefined
    mkdir -p "${2%/*}"
    # shellcheck disable=SC2086 # one word or none
    ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -g -fPIC -shared $sanitizer -I"$source_dir" \
        -Wl,-soname,"${2##*/}" -o "$2" "$source_dir/tests/cuda/$1" || exit 1
}

# count_of REPORT NAME: a number that an imitation has reported
count_of()
{
    awk -v name="$2" '$1 == name { print $2 }' "$1"
}
