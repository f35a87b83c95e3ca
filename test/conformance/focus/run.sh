#!/bin/sh
# Holds FOCUS files (Parquet) against the published validator, offline.
#
#   ./run.sh FILE…
#
# The validator needs Python 3.12: python3.12 or python3 on PATH, or one of pyenv's. Without any it says so and passes. The virtual environment (600 MB) is made once.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv=$root/.cache/venv-focus

say() { echo "conformance/focus: $*" >&2; }

python=
for p in python3.12 python3 "$(pyenv root 2>/dev/null || true)"/versions/3.12*/bin/python3; do
    if "$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
        python=$p
        break
    fi
done
if [ -z "$python" ]; then
    say "NOT TESTED: the FOCUS validator needs Python 3.12 with venv; on Ubuntu 24.04: apt-get install python3.12-venv"
    exit 0
fi
stamp=$venv/.installed
wanted="$("$python" -V 2>&1)
$(cat "$here/requirements.txt")"
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    say "installing the validator into $venv"
    rm -f "$stamp"
    "$python" -m venv --clear "$venv"
    echo '*' >"$venv/.gitignore"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" ||
        { say "pip could not install requirements.txt; is a package index reachable?"; exit 1; }
    printf '%s\n' "$wanted" >"$stamp"
fi
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
reports=
for file in "$@"; do
    case $file in /*) ;; *) file=$PWD/$file ;; esac
    report=$file.xml
    # It finds its rules beside itself only when it is started there.
    (cd "$site" && "$venv/bin/python" -m focus_validator.main --data-file "$file" --block-download --validate-version 1.2.0.1 --focus-dataset CostAndUsage \
        --applicability-criteria ALL --output-type unittest --output-destination "$report") >"$file.log" 2>&1 || { tail -20 "$file.log" >&2; exit 1; }
    reports="$reports $report"
done
# shellcheck disable=SC2086 # names without spaces, made by mktemp
exec "$venv/bin/python" "$here/check.py" $reports
