#!/usr/bin/env bash
# Every source and every test of the tree is listed in Makefile.am, and every listed file is there.
set -u
cd "$(dirname "$0")/../.." || exit 1

failures=0
# A test program without sources of its own in Makefile.am has one, of its name.
listed=$({
    grep -oE '\b[a-z][A-Za-z0-9_./-]*\.(c|h|l|y|def|rnet|sh)\b' Makefile.am
    tr -s ' \t' '\n' <Makefile.am | sed -nE 's,^tests/[a-z_]+/check_[a-z_]+$,&.c,p'
} | sort -u)

sources()
{
    find base lang compiler codegen runtime driver tests bench \( -name '*.[chly]' -o -name '*.def' \)
    find tests -name 'check*.sh'
    find stdlib -name '*.rnet'
}

for file in $(sources | sort); do
    if ! grep -qxF "$file" <<<"$listed"; then
        printf 'Makefile.am does not list %s\n' "$file"
        failures=$((failures + 1))
    fi
done

for file in $listed; do
    case $file in
    lang/lexer.[ch] | lang/parser.[ch]) continue ;;
    esac
    if [ ! -e "$file" ]; then
        printf 'Makefile.am lists %s, which is not there\n' "$file"
        failures=$((failures + 1))
    fi
done
[ "$failures" -eq 0 ]
