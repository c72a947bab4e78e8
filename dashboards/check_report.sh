#!/bin/sh
# check_report.sh REPORT_SAMPLE - HTML, JSON and CSV are read by other parsers
set -u
python=/usr/bin/python3
[ -x "$python" ] || { echo 'skipped: python3 is not installed'; exit 77; }
exec "$python" "$(dirname "$0")/check_report.py" "$1"
