#!/usr/bin/env bash
# What the documentation says of the language is so.
#   - Every block of docs/*.md and README.md marked ```rnet passes `rnet check` without a warning;
#     one marked ```rnet fragment declares no network and is checked as a file used by another; one
#     marked ```rnet error CODE gets that code and no other.
#   - The tables of docs/language.md hold the compiler's layers, settings and words of recipes, all
#     of them and no other, with their arguments in order, and of layers the defaults as far as
#     `--emit graph` shows them.
#   - Every code of a diagnostic that is mentioned exists.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/../cli/common.sh"
language=$source_dir/docs/language.md

# ---- examples

# codes: those in what rnet printed to `err`, each once
codes()
{
    sed -nE 's/^(error|warning)\[([A-Z0-9]+)\]:.*/\2/p' err | sort -u | tr '\n' ' '
}

# check_example NAME KIND CODE PLACE: every network of it
check_example()
{
    local wanted='' network
    case $2 in
    network) ;;
    fragment)
        printf 'use %s\nnetwork n {\n    input image(3, 8, 8)\n    relu\n}\n' \
            "${1%.rnet}" >"uses_$1"
        set -- "uses_$1" "$2" "$3" "$4"
        ;;
    error) wanted="$3 " ;;
    *) fail "$4: no example can be marked '$2'" ;;
    esac
    while read -r network; do
        "$rnet" check "$1" --network "$network" >out 2>err
        [ "$(codes)" = "$wanted" ] ||
            fail "$4: this example gets '$(codes)', not '$wanted':" "$(cat err)"
    done < <(sed -nE 's/^network ([A-Za-z_0-9]+).*/\1/p' "$1" | grep . || echo none)
}

count=0
while read -r name kind code place; do
    count=$((count + 1))
    check_example "$name" "$kind" "$code" "${place#"$source_dir"/}"
done < <(awk -f "$source_dir/tests/docs/blocks.awk" "$source_dir"/docs/*.md "$source_dir/README.md")
[ "$count" -ge 30 ] || fail "only $count examples were found"

# ---- tables

# rows HEAD: the cells of the table of language.md whose head begins with `| HEAD |`, without the
# backquotes, as lines of cells separated by |
rows()
{
    awk -v head="| $1 |" '
        index($0, head) == 1 { inside = 1; next }
        inside && !/^\|/ { exit }
        inside && !/^\|--/ { gsub(/`/, ""); gsub(/ *\| */, "|"); print substr($0, 2) }
    ' "$language"
}

# compare WHAT DOCUMENTED KNOWN: two lists are the same set
compare()
{
    local difference
    difference=$(diff <(tr -s ' ' '\n' <<<"$2" | sort) <(tr -s ' ' '\n' <<<"$3" | sort))
    [ -z "$difference" ] || fail "$1: < is only documented, > is only in the compiler:" "$difference"
}

# each ARGUMENTS: "a, b = 1" as lines
each()
{
    printf '%s' "${1:+${1//, /$'\n'}$'\n'}"
}

# usage NAME ARGUMENTS: `NAME(a, b)` with a value for each argument without a default
usage()
{
    local argument text='' name
    while IFS= read -r argument; do
        name=${argument%% *}
        case $argument in
        *=* | padding | stride) continue ;;
        mode) text+=", $name = fan_in" ;;
        boxes | classes) text+=", $name = logits" ;;
        at) text+=", $name = [1]" ;;
        rate | lr) text+=", $name = 0.5" ;;
        *) text+=", $name = 1" ;;
        esac
    done < <(each "$2")
    printf '%s(%s)' "$1" "${text#, }"
}

# with_defaults USAGE ARGUMENTS: the same, and each default written out
with_defaults()
{
    local defaults
    defaults=$(each "$2" | grep '=' | sed ':a; N; $!ba; s/\n/, /g')
    printf '%s' "${1%)}${defaults:+, $defaults})" | sed 's/(, /(/'
}

# has_arguments FILE NAME ARGUMENTS CALL: CALL, a call in FILE, is right, and with one argument more
# it is not: then these are all of them
has_arguments()
{
    local number
    number=$(each "$3" | wc -l)
    "$rnet" check "$1" >out 2>err || fail "docs/language.md, $2: $(head -n 3 err)"
    awk -v call="$4" -v more="$2($(seq -s ', ' 0 "$number"))" '
        (at = index($0, call)) { $0 = substr($0, 1, at - 1) more substr($0, at + length(call)) }
        { print }
    ' "$1" >more.rnet
    "$rnet" check more.rnet 2>&1 >/dev/null |
        grep -qE "\`$2\` (has $number parameter|takes no arguments)" ||
        fail "docs/language.md, $2: the compiler does not have $number arguments"
}

# has_order FILE_FUNCTION NAME ARGUMENTS: these are the parameters in the compiler's order: one that
# is bound by its place can't be given by name too
has_order()
{
    local argument place=0 before=''
    while IFS= read -r argument; do
        argument=${argument%% *}
        place=$((place + 1))
        before+='1, '
        "$1" "$2($before$argument = 1)" >order.rnet
        "$rnet" check order.rnet 2>&1 | grep -q "\`$argument\` is given twice" ||
            fail "docs/language.md, $2: \`$argument\` is not argument $place"
    done < <(each "$3")
}

# A file with one layer, and a recipe, so that it can be built.
layer_file()
{
    cat <<END
network n {
    input image(4, 1, 1)
    $1
    global_avg_pool >> linear(2)
}
train n {
    epochs = 1
    batch = 2
    optimizer = sgd(lr = 0.1)
}
END
}

# graph_of FILE: what the compiler makes of it, without places in the text
graph_of()
{
    "$rnet" build "$1" --emit graph 2>&1 | sed 's/  [a-z]*\.rnet:.*//'
}

documented=''
while IFS='|' read -r name arguments _; do
    documented+="$name "
    call=$(usage "$name" "$arguments")
    layer_file "$call" >layer.rnet
    layer_file "$(with_defaults "$call" "$arguments")" >full.rnet
    cmp -s <(graph_of layer.rnet) <(graph_of full.rnet) ||
        fail "docs/language.md, $name: a default is another in the compiler"
    has_arguments full.rnet "$name" "$arguments" "$(with_defaults "$call" "$arguments")"
    has_order layer_file "$name" "$arguments"
    "$rnet" build layer.rnet --emit kernels 2>&1 >/dev/null | grep -q "\`$name\` can be checked" &&
        fail "docs/language.md, $name: it does not build"
done < <(rows layer)
compare 'layers' "$documented" "$(sed -n '\,^/\* layers of the language,,\,^/\* made by,p' \
    "$source_dir/compiler/op.def" | sed -nE 's/^OP\([A-Z_]+, "([a-z_]+)".*/\1/p' | tr '\n' ' ')"

# ---- recipes

# The compiler lists settings and the optimizer's arguments where a -D has no meaning.
layer_file relu >plain.rnet
"$rnet" check plain.rnet -D unknown=1 2>&1 |
    sed -nE "s/.*its recipe's are (.*)/\1/p" | tr -d '`,' >known
optimizer=$(rows word | awk -F'|' '$1 == "sgd" { print $2 }' | sed 's/ = [^,]*//g; s/,//g')
compare 'settings' "$(rows setting | cut -d'|' -f1 | tr '\n' ' ')$optimizer " "$(cat known) "

# word_file WORD: a recipe that names it
word_file()
{
    printf 'network n {\n    input image(4, 1, 1)\n    global_avg_pool >> logits: linear(2)\n}\n'
    printf 'recipe r(word = %s) {\n    epochs = 1\n    batch = 2\n' "$1"
    printf '    optimizer = sgd(lr = 0.1)\n}\ntrain n = r\n'
}

documented=''
while IFS='|' read -r names arguments _; do
    for name in ${names//,/}; do
        documented+="$name "
        call=$(usage "$name" "$arguments")
        word_file "$(with_defaults "$call" "$arguments")" >word.rnet
        has_arguments word.rnet "$name" "$arguments" "$(with_defaults "$call" "$arguments")"
        has_order word_file "$name" "$arguments"
    done
done < <(rows word)
roles='WORD_(DATA|TRANSFORM|SCHEDULE|INIT|FAN|OPTIMIZER|DECAY|LOSS)'
compare 'words' "$documented" "$(tr '\n' ' ' <"$source_dir/compiler/recipe_word.c" |
    grep -oE "\{\"[a-z_0-9]+\", *$roles," | grep -oE '"[^"]+"' | tr -d '"' | tr '\n' ' ')"

# ---- codes

while read -r code; do
    "$rnet" explain "$code" >/dev/null 2>&1 || fail "the documentation mentions $code, which is none"
done < <(grep -ohE '\b[EW][0-9]{4}\b' "$source_dir"/docs/*.md "$source_dir/README.md" | sort -u)
finish
