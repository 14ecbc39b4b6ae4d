#!/bin/sh
# Make a virtual environment with exactly what requirements.lock names, and Gatepost itself.
set -eu
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
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
PYTHONWARNINGS=ignore "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
