#!/bin/sh
# How many instructions a pass at rest takes among so many other AlertRules, and up to a thousand others of each other kind. `make callgrind` calls it.
set -eu
command -v valgrind >/dev/null || {
    echo 'valgrind is missing: apt-get install valgrind, dnf install valgrind, or https://valgrind.org (Linux)' >&2
    exit 1
}
test=controller::tests::cost::counted::passes_over_what_rests_ask_nobody_and_write_nothing_in_a_crowd
passes='rule policy silence rollout'
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT

cargo test --locked --quiet --lib --no-run
echo "instructions of a pass at rest, in a build for tests"
# shellcheck disable=SC2086 # one column for each
printf '%-12s %12s %12s %12s %12s\n' "other rules" $passes
for many in ${CROWDS:-10 1000 10000}; do
    runner="valgrind --tool=callgrind --toggle-collect=*Counted::*_at_rest --callgrind-out-file=$found/$many"
    env "CARGO_TARGET_${host}_RUNNER=$runner" ALERTWRIGHT_CROWD="$many" \
        cargo test --locked --quiet --lib "$test" -- --exact >"$found/log" 2>&1 || {
        cat "$found/log" >&2
        exit 1
    }
    callgrind_annotate --inclusive=yes --show-percs=no --threshold=100 --auto=no "$found/$many" >"$found/functions" 2>"$found/log"
    printf "%-12s" "$many"
    for pass in $passes; do
        count=$(sed -n "s/^ *\([0-9,]*\) .*${pass}_at_rest.*/\1/p" "$found/functions" | head -1)
        printf ' %12s' "${count:?no such function was counted}"
    done
    echo
done
