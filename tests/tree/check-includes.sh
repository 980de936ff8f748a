#!/usr/bin/env bash
# A folder may include only what stands below it (ARCHITECTURE.md, "Who may include whom"):
#   base <- lang <- compiler <- codegen <- driver;  base <- runtime
# The contract between the two sides, runtime/program.h, includes nothing of ours, and compiler/
# and codegen/ may include it, and nothing else of the runtime. LLVM is known to codegen/cpu alone.
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
cd "$source_dir" || exit 1

# check_folder FOLDER PATTERN: what FOLDER includes in quotes matches the extended regex PATTERN.
check_folder()
{
    local line
    while IFS= read -r line; do
        complain "$1 may not include this: $line"
    done < <(find "$1" -name '*.[chly]' -exec grep -HnE '^ *# *include *"' {} + |
        grep -vE "^[^:]*:[0-9]*: *# *include *\"($2)\"")
}

check_folder base '(base)/[a-z0-9_/]+\.h'
check_folder lang '(base|lang)/[a-z0-9_/]+\.(h|def)'
check_folder compiler '(base|lang|compiler)/[a-z0-9_/]+\.(h|def)|runtime/program\.h'
check_folder codegen '(base|lang|compiler|codegen)/[a-z0-9_/]+\.(h|def)|runtime/program\.h'
check_folder driver 'config\.h|(base|lang|compiler|codegen|runtime|driver)/[a-z0-9_/]+\.(h|def)'
check_folder runtime '(base|runtime)/[a-z0-9_/]+\.(h|def)'

while IFS= read -r line; do
    complain "only codegen/cpu may include LLVM: $line"
done < <(find base lang compiler codegen driver runtime -name '*.[chly]' \
    -exec grep -HnE '^ *# *include *[<"]llvm' {} + | grep -v '^codegen/cpu/')

if grep -nE '^ *# *include *"' runtime/program.h; then
    complain 'runtime/program.h must stand alone'
fi

[ "$failures" -eq 0 ]
