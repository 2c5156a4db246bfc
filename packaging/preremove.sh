#!/bin/sh
# Stops the service before its program goes. An upgrade leaves it to the administrator when to restart.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now biloxi || true
fi
