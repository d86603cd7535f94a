#!/bin/sh
# Make .venv hold what a lock file pins: sh envs/bootstrap.sh envs/requirements.lock
# Needs python3 >= 3.11 with venv and headers, and a C++ compiler: scikit-fmm has no wheel for Linux.
# PYTHON=/path/to/python3.12 chooses the interpreter; what is missing is installed through apt-get when run as root.
set -eu
cd "$(dirname "$0")/.."
lock=$1
venv=.venv

stop() {
    printf 'qmfront: %s\n' "$*" >&2
    exit 1
}

has_compiler() { command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1; }
has_venv() { "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; }
has_headers() {
    "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' >/dev/null 2>&1
}
is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_recent "$candidate"; then
            python=$candidate
            return
        fi
    done
    stop "no Python >= 3.11 found (looked for: ${PYTHON:-python3, python3.11 to 3.14}); install one, or say PYTHON=/path/to/python3 make ..."
}

missing_packages() {
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    has_compiler || printf 'g++ '
    has_venv || printf 'python%s-venv ' "$version"
    has_headers || printf 'python%s-dev ' "$version"
}

provide_system_packages() {
    packages=$(missing_packages)
    [ -n "$packages" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing ${packages}through apt-get"
        apt-get update -qq || true
        # shellcheck disable=SC2086 (a list of packages)
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null || true
    fi
    packages=$(missing_packages)
    [ -z "$packages" ] || stop "please install ${packages}(for instance: sudo apt-get install ${packages}) and run the same command again"
}

provide_venv() {
    [ -x "$venv/bin/python" ] && is_recent "$venv/bin/python" && return
    echo "Creating $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
}

install() {
    pip="$venv/bin/python -m pip --disable-pip-version-check --quiet"
    if [ ! -x "$venv/bin/uv" ]; then
        $pip install --require-hashes -r envs/installer.lock
    fi
    echo "Installing what $lock pins (0.6 GB on disk)"
    # pip takes three times as long, but follows pip's own settings: certificates, a mirror.
    VIRTUAL_ENV=$venv "$venv/bin/python" -m uv pip install --quiet --require-hashes -r "$lock" ||
        $pip install --require-hashes -r "$lock" ||
        stop "the packages could not be installed; the messages above say why"
}

find_python
provide_system_packages
provide_venv
install
