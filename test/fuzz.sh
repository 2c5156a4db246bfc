#!/usr/bin/env bash
# fuzz.sh [TIME]: runs every fuzz target of the module for TIME (3s), one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-3s}
count=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# once PACKAGE TARGET: one run.
once() { go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" -fuzzminimizetime 10x "$1" 2>&1 | tee "$log"; }

# engine: whether the run failed for no input. When its time is over while a worker is busy, the engine of
# go test sometimes takes its own deadline for a failure; a real one names the input that it wrote.
engine() { grep -q 'context deadline exceeded' "$log" && ! grep -qE 'Failing input|seed corpus entry|panic:' "$log"; }

while IFS=: read -r file target; do
  package=./$(dirname "$file")
  echo "fuzz $package $target $time"
  tries=1
  until once "$package" "$target"; do
    if ! engine || [ "$tries" -ge 3 ]; then exit 1; fi
    tries=$((tries + 1))
    echo "fuzz $package $target: no input failed, only the engine's deadline: try $tries"
  done
  count=$((count + 1))
done < <(git ls-files '*_test.go' | xargs grep -HoE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //' | sort)
echo "fuzz: $count targets ran"
[ "$count" -gt 0 ]
