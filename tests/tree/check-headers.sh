#!/usr/bin/env bash
# Every header includes what it needs: it compiles as the only line of a file.
# LLVM_CPPFLAGS says where LLVM's headers are.
set -u
build=$PWD
cd "$(dirname "$0")/../.." || exit 1

failures=0
for header in $(find base lang compiler codegen runtime driver -name '*.h' | sort); do
    if ! printf '#include "%s"\n' "$header" |
        ${CC:-cc} -std=gnu17 -Wall -Wextra -Wstrict-prototypes -Werror -Wno-unused-function \
            ${LLVM_CPPFLAGS:-} -fsyntax-only -I. -I"$build" -x c -; then
        printf '%s does not compile alone\n' "$header"
        failures=$((failures + 1))
    fi
done
[ "$failures" -eq 0 ]
