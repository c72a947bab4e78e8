#!/usr/bin/env bash
# check_words.sh - no left marks, no paths of one person's machine
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
bad=0

deny() {
    local why=$1 pattern=$2
    shift 2
    if git grep -nIP --untracked -e "$pattern" -- "$@" \
        ':!LICENSE' ':!tools/check_words.sh' ':!tests/corpora' ':!tests/fixtures' |
        sed "s|\$|   <- $why|"; then
        bad=1
    fi
}

deny 'finish it or file it' '\b(TODO|FIXME|XXX|HACK)\b' \
    '*.c' '*.h' '*.def' '*.py' '*.sh' '*.ts' '*.tsx' '*.txt' '*.md' tools tests/lab .ci
deny 'a path of one machine' '(?<![\w.])/(home|Users|root)/\w' .
deny 'spaces at the end' '[ \t]+$' '*.c' '*.h' '*.def' '*.sh' '*.md' '*.txt' tools .ci
exit $bad
