#!/bin/sh
# Runs the official Python SDK against a purser that is already up.
#
#   PURSER_DEMO_JSON=/path/to/demo.json ./run.sh [venv folder] [pytest arguments…]
#
# The virtual environment is made once and filled again only when
# requirements.txt changes. Optional: PURSER_TLS_ENDPOINT (https://…) with
# PURSER_CA (a PEM file) adds the tests over TLS.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv=${1:-$root/.cache/venv}
[ $# -gt 0 ] && shift

say() { echo "conformance/python: $*" >&2; }

if ! command -v python3 >/dev/null 2>&1; then
    say "python3 is not on PATH; on Debian or Ubuntu: apt-get install python3 python3-venv"
    exit 1
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then
    say "python3 is $(python3 -V 2>&1 | cut -d' ' -f2), but 3.9 or newer is needed"
    exit 1
fi
if ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
    say "python3 cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv"
    exit 1
fi

# The stamp holds what was installed, and with which interpreter, so that a
# half-finished or outdated environment is made anew.
stamp=$venv/.installed
wanted="$(python3 -V 2>&1)
$(cat "$here/requirements.txt")"
if [ ! -x "$venv/bin/python" ] || [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    say "installing the SDK into $venv"
    rm -f "$stamp"
    python3 -m venv --clear "$venv" || { say "the virtual environment $venv could not be made"; exit 1; }
    echo '*' >"$venv/.gitignore"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" ||
        { say "pip could not install requirements.txt; is a package index reachable?"; exit 1; }
    printf '%s\n' "$wanted" >"$stamp"
fi

if [ -z "${PURSER_DEMO_JSON:-}" ]; then
    say "PURSER_DEMO_JSON is not set; it must name the demo.json of a running 'purser serve --demo'"
    exit 1
fi
if [ ! -r "$PURSER_DEMO_JSON" ]; then
    say "PURSER_DEMO_JSON names $PURSER_DEMO_JSON, which cannot be read"
    exit 1
fi
case $PURSER_DEMO_JSON in
    /*) ;;
    *) PURSER_DEMO_JSON=$PWD/$PURSER_DEMO_JSON ;;
esac
export PURSER_DEMO_JSON

# A proxy or an SDK setting of the machine must not lead the tests elsewhere.
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
unset HUAWEICLOUD_SDK_IAM_ENDPOINT HUAWEICLOUD_SDK_STS_ENDPOINT
export PYTHONDONTWRITEBYTECODE=1

cd "$here"
exec "$venv/bin/python" -m pytest "$@"
