#!/bin/sh
# Makes the user that the service runs as. The service is not started: its domain has to be set first.
set -e
if ! getent passwd biloxi >/dev/null; then
  useradd --system --home-dir /var/lib/biloxi --no-create-home --shell /usr/sbin/nologin biloxi
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
echo "biloxi: set the domain in /etc/biloxi/biloxi.toml, then: systemctl enable --now biloxi"
