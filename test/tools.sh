#!/usr/bin/env bash
# tools.sh: sees to it that the programs of the tests are there. Root on Debian: installs them with apt.
# Anybody else is told which packages are missing.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
while read -r package _; do
  case $package in ''|'#'*) continue ;; esac
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done < test/interop/packages.txt
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "tools: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
  exit 0
fi
echo "tools: these Debian packages are missing: ${missing[*]}" >&2
echo "tools: install them: sudo apt-get install ${missing[*]}" >&2
exit 1
