#!/usr/bin/env bash
# Each folder's README has a line for every file, and no line for a file that is not there.
# A line is a table row or list item that starts with the name in backquotes: `arena` or `arena.c`
# or `arena.[ch]`, several of them for files that belong together, a pattern for data files. A
# subfolder is one line, or has a line for each of its files: `cpu/object`.
# shellcheck source=tests/common.sh
. "$(dirname "$0")/../common.sh"
cd "$source_dir" || exit 1

# named README: the names that its lines start with
named()
{
    # shellcheck disable=SC2016 # the backquotes are Markdown's
    sed -nE 's/^\| *(`[^|]*)\|.*/\1/p; s/^[-*] +((`[^`]+`(, | and | )?)+).*/\1/p' "$1" |
        grep -oE '`[^`]+`' | tr -d '`' | sed 's,/$,,'
}

# is_listed FILE NAMES
is_listed()
{
    local name
    while IFS= read -r name; do
        # shellcheck disable=SC2053 # the name is a pattern on purpose
        if [[ $1 == $name || ${1%.*} == $name ]]; then
            return 0
        fi
    done <<<"$2"
    return 1
}

# files_of FOLDER NAMES: what FOLDER holds; for a subfolder that NAMES lack, what that one holds
files_of()
{
    local entry
    while IFS= read -r entry; do
        if [ -d "$1/$entry" ] && ! is_listed "$entry" "$2"; then
            find "$1/$entry" -type f ! -name README.md -printf "$entry/%P\n" | sort
        else
            printf '%s\n' "$entry"
        fi
    done < <(find "$1" -mindepth 1 -maxdepth 1 ! -name README.md ! -name '.*' \
        ! -name __pycache__ -printf '%f\n' | sort)
}

check_folder()
{
    local folder=$1 names file name
    if [ ! -e "$folder/README.md" ]; then
        complain "$folder has no README.md"
        return
    fi
    names=$(named "$folder/README.md")
    while IFS= read -r file; do
        is_listed "$file" "$names" || complain "$folder/README.md has no line for $file"
    done < <(files_of "$folder" "$names")
    while IFS= read -r name; do
        [ -n "$(find "$folder" -path "$folder/$name" -o -path "$folder/$name.*")" ] ||
            complain "$folder/README.md has a line for $name, which is not there"
    done <<<"$names"
}

for folder in base lang compiler codegen runtime driver stdlib examples tests script docs; do
    check_folder "$folder"
done

# The files that the pages at the top name.
for file in $(grep -ohE '[a-z]+/[a-z_/]+\.(c|h|l|y|def|sh|rnet)\b' README.md ARCHITECTURE.md | sort -u); do
    [ -e "$file" ] || complain "README.md or ARCHITECTURE.md names $file, which is not there"
done
[ "$failures" -eq 0 ]
