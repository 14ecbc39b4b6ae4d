#!/bin/sh
# Install the Debian packages that are missing. Groups: run, test (this checkout); station, hub, time (install.sh).
set -eu

run="python3 python3-venv mosquitto mosquitto-clients libzbar0 fonts-noto-cjk ca-certificates espeak-ng alsa-utils"
test="chromium-headless-shell libatomic1 postgresql poppler-utils systemd shellcheck dbus-daemon strace"
station="python3 python3-venv ca-certificates curl systemd libzbar0 fonts-noto-cjk espeak-ng alsa-utils i2c-tools bluez seatd cage xwayland chromium"
# cage of Debian does not start without Xwayland.
station_where_known="python3-lgpio python3-evdev python3-picamera2" # the first and the last are Raspberry Pi OS's own
hub="python3 python3-venv ca-certificates systemd mosquitto mosquitto-clients openssl fonts-noto-cjk"
time="systemd-timesyncd"

wanted='' where_known=''
for group in "$@"; do
    case "$group" in
        run) wanted="$wanted $run" ;;
        test) wanted="$wanted $test" ;;
        station) wanted="$wanted $station" where_known="$station_where_known" ;;
        hub) wanted="$wanted $hub" ;;
        time) wanted="$wanted $time" ;;
        *) echo "packages.sh: unknown group '$group'; there are: run, test, station, hub, time" >&2; exit 2 ;;
    esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is no Debian: install the equivalents of:$wanted" >&2
    exit 0
fi

# The names of what is installed, a line each; also those that a package goes by since it was renamed (libzbar0 in Debian 13).
installed() {
    # shellcheck disable=SC2016 # the dollars are dpkg-query's
    dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' | sed -n 's/^installed //p' | tr ',' '\n' | sed 's/ *(.*//; s/ //g'
}

is_known() {
    apt-cache show "$1" >/dev/null 2>&1
}

install_missing() {
    there=$(installed)
    missing=
    for package in "$@"; do
        case "$missing " in *" $package "*) continue ;; esac
        printf '%s\n' "$there" | grep -qx -- "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
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
}

# shellcheck disable=SC2086
install_missing $wanted
known=
for package in $where_known; do
    if is_known "$package"; then known="$known $package"; fi
done
# shellcheck disable=SC2086
install_missing $known
