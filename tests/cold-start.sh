#!/bin/sh
# How long the command line takes to start, in milliseconds: the middle of 31 runs of each command; and how long it checks 10,000 resources, the middle of 5.
# `make cold` calls it. Figures are worth something only where nothing else runs.
set -eu
program=${1:?the program}
here=$(dirname "$0")
runs=31
middle() {
    i=0
    while [ $i -lt $runs ]; do
        start=$(date +%s%N)
        "$@" >/dev/null 2>&1 || true
        end=$(date +%s%N)
        echo $(((end - start) / 10000))
        i=$((i + 1))
    done | sort -n | sed -n $((runs / 2 + 1))p | sed 's/\(..\)$/.\1/'
}
printf '%-28s %s ms\n' "alertwright --help" "$(middle "$program" --help)"
printf '%-28s %s ms\n' "alertwright check FILE" "$(middle "$program" check -f "$here/cli/fine.yaml")"

many=$(mktemp)
trap 'rm -f "$many"' EXIT
i=0
while [ $i -lt 10000 ]; do
    printf -- '---\napiVersion: alerting.letsrevel.io/v1alpha1\nkind: AlertRule\nmetadata: {name: rule-%s, namespace: team-%s}\nspec:\n  query: sum(rate(http_requests_total{service="s%s",code=~"5.."}[5m])) > 0.5\n  for: 5m\n  severity: warning\n  labels: {team: web}\n  annotations: {summary: "{{ $value }} failures", description: Requests fail.}\n' \
        $i $((i % 50)) $i
    i=$((i + 1))
done >"$many"
"$program" check -q -f "$many" || {
    echo 'what is measured must be right' >&2
    exit 1
}
runs=5
printf '%-28s %s ms\n' "alertwright check 10,000" "$(middle "$program" check -f "$many")"
