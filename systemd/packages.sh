#!/bin/sh
# Install the Debian packages that are missing. Groups: run, test, station.
set -eu

run="python3 python3-venv mosquitto mosquitto-clients libzbar0 fonts-noto-cjk ca-certificates"
test="chromium libatomic1 postgresql poppler-utils"
wanted=
for group in "$@"; do
    case "$group" in
        run) wanted="$wanted $run" ;;
        test) wanted="$wanted $test" ;;
        *) echo "packages.sh: unknown group '$group'; there are: run, test" >&2; exit 2 ;;
    esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is no Debian: install the equivalents of:$wanted" >&2
    exit 0
fi

missing=
for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1; then
        as_root=sudo
    else
        echo "Missing:$missing" >&2
        echo "Run as root:  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
        exit 1
    fi
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
# shellcheck disable=SC2086
$as_root apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null
