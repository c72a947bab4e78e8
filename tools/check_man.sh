#!/bin/sh
# check_man.sh DIR - the man pages in DIR pass mandoc's lint, and the schema is JSON
set -u
dir=$1

command -v mandoc >/dev/null || { echo 'skipped: mandoc is not installed'; exit 77; }
bad=0
for page in "$dir"/*.[1-9]; do
    mandoc -T lint -W warning "$page" || bad=1
done
python3 -m json.tool "$dir/events.schema.json" >/dev/null || bad=1
exit $bad
