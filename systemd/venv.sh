#!/bin/sh
# Make a virtual environment with exactly what a lock file names, and Gatepost itself.
#   venv.sh [VENV]             this checkout's, for development: editable, requirements.lock
#   venv.sh --appliance VENV   a copy of Gatepost, without the tools of development: systemd/requirements.lock
set -eu
lock=requirements.lock source=--editable
if [ "${1:-}" = --appliance ]; then
    lock=systemd/requirements.lock source=
    shift
fi
venv=${1:-.venv}

suits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1
}

if [ ! -x "$venv/bin/python" ] || ! suits "$venv/bin/python"; then
    python=
    for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
        if suits "$candidate"; then python=$candidate; break; fi
    done
    [ -n "$python" ] || { echo "No Python from 3.11 to 3.13 with venv: apt-get install python3 python3-venv" >&2; exit 1; }
    "$python" -m venv --clear "$venv"
fi
echo "Installing Python packages into $venv (a minute or two, once)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --use-pep517 -r "$lock"
# shellcheck disable=SC2086
PYTHONWARNINGS=ignore "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps $source .
