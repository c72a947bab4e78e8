#!/usr/bin/env bash
# check_banned.sh - banned functions and habits, and functions over 80 lines
#
# Variable-length arrays are the compiler's business (-Wvla), recursion is
# clang-tidy's (misc-no-recursion, tools/lint).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
bad=0

# deny WHY PATTERN FILE...: lines that match, unless they are comment
deny() {
    local why=$1 pattern=$2
    shift 2
    [ $# -gt 0 ] || return 0
    if grep -nHP -- "^(?!\\s*/?\\*).*?$pattern" "$@" | sed "s|\$|   <- $why|"; then
        bad=1
    fi
}

mapfile -t all < <(git ls-files -co --exclude-standard -- '*.c' '*.h' '*.def')
mapfile -t timeless < <(printf '%s\n' "${all[@]}" | grep -vE '^(sensor/(capture|app)|tests|tools)/|^sensor/main\.c$')

calls='strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|gets|alloca'
deny 'banned function' "(?<![\\w.>])($calls)\\s*\\(" "${all[@]}"
deny 'time is an argument' '(?<![\w.>])(time|clock_gettime|gettimeofday)\s*\(' "${timeless[@]}"
deny 'include headers, not sources' '#\s*include\s+"[^"]*\.c"' "${all[@]}"
deny 'no code for tests only' '#\s*if(def\s+|.*defined\s*\(?\s*)TEST\b' "${all[@]}"

long=$(printf '%s\n' "${all[@]}" | grep '\.c$' |
    ctags -L - -f - --languages=C --kinds-C=f --fields=+ne 2>/dev/null |
    awk -F '\t' '{
        start = end = 0
        for (i = 4; i <= NF; i++) {
            if ($i ~ /^line:/) start = substr($i, 6)
            if ($i ~ /^end:/) end = substr($i, 5)
        }
        if (end - start + 1 > 80) print $2 ":" start ": " $1 " has " end - start + 1 " lines"
    }')
if [ -n "$long" ]; then
    printf '%s\n' "$long"
    bad=1
fi
exit $bad
