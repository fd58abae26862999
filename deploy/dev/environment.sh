#!/usr/bin/env bash
# Makes .venv, or brings it up to date, for one level of work:
#
#   environment.sh run    what exosync itself needs (make image)
#   environment.sh demo   that, and what the stand-ins need (make demo, make service)
#   environment.sh test   that, and what the tests need (make test)
#   environment.sh dev    that, and what checks and documents the project (make lint, docs)
#   environment.sh bench  the tests' level, and the tools that exosync is measured against
#                         (make bench; one of them needs a C compiler)
#   environment.sh uv     only uv, apart from the rest in build/uv (make requirements)
#
# PYTHON=... names the interpreter; without it the first of Python 3.11 to 3.13 is taken.
# A second run does nothing unless a requirement file, pyproject.toml or PYTHON changed.
set -euo pipefail
cd "$(dirname "$0")/../.."

level=${1:-}
venv=.venv

case "$level" in
    run) pins=requirements/runtime.txt ;;
    uv) venv=build/uv ;;
    demo | test | dev | bench) pins=requirements/$level.txt ;;
    *)
        echo "usage: $0 run|demo|test|dev|bench|uv" >&2
        exit 64
        ;;
esac

fail() {
    printf 'environment: %s\n' "$@" >&2
    exit 1
}

minor_of() { # the minor version of a working Python 3, or nothing
    "$1" -c 'import sys; print(sys.version_info.minor if sys.version_info.major == 3 else 0)' \
        2>/dev/null || true
}

find_python() { # the first interpreter of a supported version
    local name minor
    for name in python3 python3.13 python3.12 python3.11; do
        minor=$(minor_of "$name")
        if [[ -n $minor ]] && ((minor >= 11 && minor <= 13)); then
            echo "$name"
            return
        fi
    done
}

choose_python() {
    local minor
    if [[ -z ${PYTHON:-} ]]; then
        python=$(find_python)
        [[ -n $python ]] || fail \
            "exosync needs Python 3.11, 3.12 or 3.13, and none was found." \
            "On Debian 12 or Ubuntu 24.04: apt-get install python3 python3-venv" \
            "If it stands elsewhere: make PYTHON=/path/to/python3.12 ..."
        return
    fi
    python=$PYTHON
    minor=$(minor_of "$python")
    [[ -n $minor ]] || fail "PYTHON=$python does not run."
    ((minor >= 11)) || fail "PYTHON=$python is Python 3.$minor; exosync needs 3.11, 3.12 or 3.13."
    ((minor <= 13)) || echo "environment: Python 3.$minor is newer than what exosync is tested with" >&2
}

need_venv() { # Debian and Ubuntu ship venv and ensurepip in a package of their own
    local minor
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    minor=$(minor_of "$python")
    fail "$python cannot make virtual environments: its modules venv and ensurepip are missing." \
        "On Debian or Ubuntu: apt-get install python3.$minor-venv"
}

make_venv() {
    local have want
    want=$("$python" -c 'import sys; print(sys.version)')
    have=$("$venv/bin/python" -c 'import sys; print(sys.version)' 2>/dev/null || true)
    if [[ $have != "$want" ]]; then
        need_venv
        echo "environment: making $venv with $("$python" --version)"
        "$python" -m venv --clear "$venv"
    fi
}

install() {
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet --quiet)
    if [[ $level == uv ]]; then
        "${pip[@]}" install 'uv>=0.9,<1'
        return
    fi
    # What is published as source only is built with the pinned tools of build.txt. A peer of
    # the benchmarks asks for a build tool of its own, so that level lets pip fetch it.
    local isolation=(--no-build-isolation)
    [[ $level == bench ]] && isolation=()
    "${pip[@]}" install --require-hashes --only-binary :all: -r requirements/build.txt
    "${pip[@]}" install --require-hashes "${isolation[@]}" -r "$pins"
    "${pip[@]}" install --no-deps --no-build-isolation --editable .
}

fingerprint() { # of everything that the environment is made from
    {
        echo "$PWD"
        "$python" -c 'import sys; print(sys.version)'
        cat "$0"
        [[ $level == uv ]] || cat requirements/build.txt "$pins" pyproject.toml
    } | cksum
}

choose_python
stamp=$venv/.exosync-$level
now=$(fingerprint)
[[ -x $venv/bin/python && $(cat "$stamp" 2>/dev/null) == "$now" ]] && exit 0

make_venv
echo "environment: installing what '$level' needs into $venv"
install
echo "$now" >"$stamp"
