#!/usr/bin/env bash
# No absolute path of somebody's machine in what is published.
set -u
cd "$(dirname "$0")/../.." || exit 1

if git rev-parse --git-dir >/dev/null 2>&1; then
    list=(git ls-files -z --cached --others --exclude-standard)
else
    list=(find . -type f ! -path './build*' ! -path './autom4te.cache/*' -print0)
fi
if "${list[@]}" | xargs -0 grep -nIE '(^|[^A-Za-z0-9_.)}-])/(home|root|work|srv|mnt|Users)/[A-Za-z0-9_]'; then
    echo 'the lines above hold a path of one machine'
    exit 1
fi
