#!/usr/bin/env bash
# fuzz.sh [TIME]: runs every fuzz target of the module for TIME (3s), one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-3s}
count=0
while IFS=: read -r file target; do
  package=./$(dirname "$file")
  echo "fuzz $package $target $time"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$package"
  count=$((count + 1))
done < <(git ls-files '*_test.go' | xargs grep -HoE '^func Fuzz[A-Za-z0-9_]+' | sed 's/func //' | sort)
echo "fuzz: $count targets ran"
[ "$count" -gt 0 ]
