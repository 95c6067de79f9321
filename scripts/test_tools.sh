#!/usr/bin/env bash
# What the tests need beside Python packages: other people's OpenID clients, a Chromium, PostgreSQL 15 as the oldest server that is supported, Redis,
# which the tests start and kill themselves, and strace, which makes a disk fail.
# Root on Debian gets them; anybody else is told. With CI=true a missing one is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

# Other people's OpenID clients, which the tests drive as they are. Of fhirclient they use the bundle for browsers, which
# is whole: package.json puts a small package in the place of its largest one for Node, which brings 690 more.
if ! cmp -s tests/clients/package-lock.json tests/clients/node_modules/.installed; then
    if scripts/npm.sh --prefix tests/clients ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
        cp tests/clients/package-lock.json tests/clients/node_modules/.installed
    else
        echo "The OpenID clients of tests/clients could not be installed." >&2
        [ "${CI:-}" != true ] || exit 1
    fi
fi

wanted=()
command -v chromium-headless-shell >/dev/null || wanted+=(chromium-headless-shell)
[ -x /usr/lib/postgresql/15/bin/postgres ] || wanted+=(postgresql-15)
command -v strace >/dev/null || wanted+=(strace)
command -v redis-server >/dev/null || wanted+=(redis-server)
[ ${#wanted[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests: ${wanted[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # The tests start their own servers; the package must not start one.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    apt-get update -qq || true
    apt-cache show chromium-headless-shell >/dev/null 2>&1 || wanted=("${wanted[@]/#chromium-headless-shell/chromium}")
    if apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null; then exit 0; fi
fi

# A whole Chromium does as well, and takes twice the time.
if [ "${wanted[*]}" = chromium-headless-shell ] && { command -v chromium || command -v chromium-browser; } >/dev/null; then exit 0; fi

echo "Some tests need: ${wanted[*]}. Install with: apt-get install ${wanted[*]}" >&2
[ "${CI:-}" != true ] || exit 1
