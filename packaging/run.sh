#!/usr/bin/env bash
# Set everything up and open SIP Explorer; without a display run the tour instead. Safe to repeat.
#
#   bash packaging/run.sh                 the last workspace, at first the demo
#   bash packaging/run.sh my-workspace    arguments go to sip-explorer as they are
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

set_up run

if [ $# -eq 0 ] && [ "$(uname -s)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  say "There is no display here, so this is the tour: the whole job in the real window, off screen. It takes about 4 minutes."
  status=0
  "$venv/bin/sip-explorer" tour --out "$root/tour" || status=$?
  if [ "$status" -ne 0 ]; then
    fail "The tour ended with exit code $status; the pictures it made so far are in $root/tour."
  fi
  say "The pictures are in $root/tour; open report.html there."
  exit 0
fi
exec "$venv/bin/sip-explorer" "$@"
