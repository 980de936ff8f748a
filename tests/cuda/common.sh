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

# loading_driver FOLDER: puts a libcuda.so.1 there, of the names in CUDA's stub: loading code succeeds,
# all else fails as in the stub. Engines that cuDNN compiles itself load their code before they are
# said to fit. Fails where there is no stub, in CUDA_HOME or /usr/local/cuda.
loading_driver()
{
    local stub loads
    stub=$(find -L "${CUDA_HOME:-/usr/local/cuda}" -path '*stubs/libcuda.so' 2>/dev/null | head -n 1)
    [ -n "$stub" ] || return 1
    loads='cuLibraryLoadData|cuLibraryGetKernel|cuLibraryGetModule|cuKernelGetFunction'
    loads+='|cuModuleLoadData|cuModuleLoadDataEx|cuModuleGetFunction'
    mkdir -p "$1"
    nm -D --defined-only "$stub" | awk -v loads="^($loads)$" '
        $2 != "T" { next }
        $3 ~ loads { print "unsigned " $3 "(void **out) { *out = thing; return 0; }"; next }
        { print "unsigned " $3 "(void) { return 34; }" }
        BEGIN { print "static char thing[4096];" }' >"$1/driver.c"
    ${CC:-cc} -w -fPIC -shared -Wl,-soname,libcuda.so.1 -o "$1/libcuda.so.1" "$1/driver.c"
}

# count_of REPORT NAME: a number that an imitation has reported
count_of()
{
    awk -v name="$2" '$1 == name { print $2 }' "$1"
}

# cifar_records TRAINING COUNT: that many records of CIFAR-10's binary format, those after TRAINING for
# validation
cifar_records()
{
    LC_ALL=C awk -v training="$1" -v count="$2" 'BEGIN {
        srand(3)
        for (i = 0; i < count; i++) {
            file = i < training ? "data_batch_1.bin" : "test_batch.bin"
            printf "%c", 1 + i % 9 >file
            for (p = 0; p < 3072; p++)
                printf "%c", 1 + int(rand() * 120) + (i % 9) * 10 >file
        }
    }'
}
