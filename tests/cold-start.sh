#!/bin/sh
# How long the command line takes to start, in milliseconds: the middle of 31 runs of each command. `make cold` calls it.
set -eu
program=${1:?the program}
here=$(dirname "$0")
middle() {
    i=0
    while [ $i -lt 31 ]; do
        start=$(date +%s%N)
        "$@" >/dev/null 2>&1 || true
        end=$(date +%s%N)
        echo $(((end - start) / 10000))
        i=$((i + 1))
    done | sort -n | sed -n 16p | sed 's/\(..\)$/.\1/'
}
printf '%-28s %s ms\n' "alertwright --help" "$(middle "$program" --help)"
printf '%-28s %s ms\n' "alertwright check FILE" "$(middle "$program" check -f "$here/cli/fine.yaml")"
