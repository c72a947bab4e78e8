#!/bin/sh
# check_man.sh DIR GEN_DOCS - the man pages in DIR are all that GEN_DOCS can make,
# they pass mandoc's lint, and the schema is JSON
set -u
dir=$1 gen=$2

command -v mandoc >/dev/null || { echo 'skipped: mandoc is not installed'; exit 77; }
bad=0
for page in $("$gen"); do
    [ -s "$dir/$page" ] || { echo "$page is not built: tools/CMakeLists.txt"; bad=1; }
done
for page in "$dir"/*.[1-9]; do
    mandoc -T lint -W warning "$page" || bad=1
done
python3 -m json.tool "$dir/events.schema.json" >/dev/null || bad=1
exit $bad
