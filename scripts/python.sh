#!/usr/bin/env bash
# Makes the virtual environment and installs what requirements.lock pins, each file checked by its hash.
# Usage: scripts/python.sh .venv
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:?which folder}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14; do
        if new_enough "$name"; then command -v "$name"; return; fi
    done
    echo "Salerno needs Python 3.11 or newer, and none was found. Install it, or say where it is: make PYTHON=…" >&2
    return 1
}

make_venv() {
    local python
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "Installing Debian's python3-venv, which this Python lacks."
            apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
        else
            echo "This Python lacks its venv module. Install it first: apt-get install python3-venv" >&2
            return 1
        fi
    fi
    "$python" -m venv --clear "$venv"
}

if ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then make_venv; fi

locked=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.lock)
if [ "$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$locked" ]; then
    awk '/^uv==/ {on = 1} on {print} on && !/\\$/ {exit}' requirements.lock >"$venv/uv.txt"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r "$venv/uv.txt"
fi

# pip knows the package index of machines that configure only pip, so it is the second try.
export VIRTUAL_ENV=$PWD/$venv
"$venv/bin/uv" pip install -q --require-hashes -r requirements.lock ||
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
"$venv/bin/uv" pip install -q --offline --no-deps --no-build-isolation -e .
