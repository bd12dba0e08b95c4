#!/usr/bin/env bash
# Set everything up and run every check: import contract, ruff, mypy --strict, the tests. Safe to repeat.
#
#   bash packaging/test.sh                    everything
#   bash packaging/test.sh tests/records -x   arguments go to pytest as they are
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

set_up test
cd "$root"
export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"

say "Import contract"
"$venv/bin/lint-imports" || fail "A module imports what its layer must not: see the broken contract above."
say "ruff"
"$venv/bin/ruff" check || fail "ruff found the faults above."
say "mypy --strict on the packages without Qt"
"$venv/bin/mypy" || fail "mypy found the faults above."
say "Tests"
cores="$(getconf _NPROCESSORS_ONLN)"
# One process per core up to 8; conftest.py keeps torch to one thread in each. pytest's closing line comes last.
exec "$venv/bin/python" -m pytest -n "$((cores < 8 ? cores : 8))" --dist loadscope "$@"
