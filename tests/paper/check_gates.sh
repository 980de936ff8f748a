#!/usr/bin/env bash
# What a signal meets on the main path, in every network family at every depth: as many ReLUs as
# blocks in the original networks, none with pre-activation, one a stage in the staged ones (two in
# the published form), whatever the depth. With stem and head there are a few more.
# Run from the build directory, or set RNET to the compiler.
set -u
rnet=$(realpath -m "${RNET:-$PWD/rnet}")
cd "$(dirname "$0")/../../examples" || exit 1

if [ ! -x "$rnet" ]; then
    printf 'skipped: there is no %s\n' "$rnet"
    exit 77
fi

# gates KEY JSON: "conv bn relu max_pool" of the object KEY
gates()
{
    local object=${2#*\""$1"\":\{} result='' kind number
    object=${object%%\}*}
    for kind in conv bn relu max_pool; do
        number=${object#*\""$kind"\":}
        result+=" ${number%%,*}"
    done
    printf '%s' "${result# }"
}

# check NETWORK "SETTINGS" "STAGES" "WHOLE": convolutions, norms, ReLUs and max pools of each
check()
{
    local options=() setting json stages whole
    for setting in $2; do
        options+=(-D "$setting")
    done
    count=$((count + 1))
    json=$("$rnet" report "$1.rnet" "${options[@]}" --json)
    json=${json%%\"stages\"*}
    stages=$(gates main_path "$json")
    whole=$(gates main_path_total "$json")
    [ "$stages" = "$3" ] && [ "$whole" = "$4" ] && return
    printf '%s %s: %s in stages and %s in all, not %s and %s\n' \
        "$1" "$2" "$stages" "$whole" "$3" "$4"
    failures=$((failures + 1))
}

count=0 failures=0
for depth in 50 101 152 200 302 404; do
    blocks=$(((depth - 2) / 3))
    for network in resnet resnext resgroup resgroupfix resnet_d; do
        check imagenet/$network "depth=$depth" "4 4 $blocks 0" "5 5 $((blocks + 1)) 1"
    done
    check imagenet/resmax "depth=$depth" "4 4 $blocks 4" "5 5 $((blocks + 1)) 4"
    check imagenet/preact_resnet "depth=$depth" '4 4 0 0' '5 6 2 1'
    check imagenet/resstage "depth=$depth" '4 8 4 0' '5 9 5 1'
    check imagenet/resstage "depth=$depth published=true" '4 8 8 0' '5 9 9 1'
    for network in iresnet iresgroup iresgroupfix; do
        check imagenet/$network "depth=$depth" '4 8 4 4' '5 9 5 4'
        check imagenet/$network "depth=$depth published=true" '4 8 8 4' '5 9 9 4'
    done
done
for depth in 164 1001 2000 3002; do
    blocks=$(((depth - 2) / 3))
    check cifar/resnet "depth=$depth" "3 3 $blocks 0" "4 4 $((blocks + 1)) 0"
    check cifar/resmax "depth=$depth" "3 3 $blocks 2" "4 4 $((blocks + 1)) 2"
    check cifar/preact_resnet "depth=$depth" '3 3 0 0' '4 5 2 0'
    check cifar/resstage "depth=$depth" '3 6 3 0' '4 7 4 0'
    check cifar/iresnet "depth=$depth" '3 6 3 2' '4 7 4 2'
    check cifar/iresnet "depth=$depth published=true" '3 6 6 2' '4 7 7 2'
done
printf '%d networks, %d of them wrong\n' "$count" "$failures"
[ "$failures" -eq 0 ]
