#!/bin/sh
# Make this machine a station, a hub or both. Run it as root, as often as you like: what is right already is left alone.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/common.sh"
. "$here/pi.sh"
. "$here/readonly.sh"
. "$here/steps.sh"

usage() {
    cat <<'TEXT'
install.sh [station|hub|both] [OPTION…]      Debian 12 or 13, or the 64-bit Raspberry Pi OS of these
  --config FILE        a station's kiosk.toml, as `hub station add … --output kiosk.toml` wrote it
  --logs WHERE         the system's log: persistent (on the card) or volatile (in memory)
  --rtc CHIP           a real-time clock: ds3231, ds1307, pcf8523, pcf8563 or rv3028 on I2C, or pi5 for the Pi 5's own
  --read-only          cover the root file system with one in memory (Raspberry Pi OS; see docs/operations.md)
  --writable           take that off again, for changes; nothing else is done
TEXT
}

role=station config='' logs='' rtc='' read_only=''
while [ $# -gt 0 ]; do
    case "$1" in
        station | hub | both) role=$1 ;;
        --config | --logs | --rtc)
            [ $# -ge 2 ] || fail "$1 needs a value" "See install.sh --help."
            case "$1" in --config) config=$2 ;; --logs) logs=$2 ;; --rtc) rtc=$2 ;; esac
            shift
            ;;
        --read-only) read_only=yes ;;
        --writable) read_only=no ;;
        --help | -h) usage; exit 0 ;;
        *) usage >&2; fail "unknown: $1" ;;
    esac
    shift
done

is_station() { [ "$role" != hub ]; }
is_hub() { [ "$role" != station ]; }

[ "$(id -u)" -eq 0 ] || fail "not root" "Run: sudo sh $0 $role"
if [ "$read_only" = no ]; then
    make_writable
    exit 0
fi
check_machine
check_options "$config" "$logs"
if [ "$read_only" = yes ]; then check_read_only; fi
mosquitto_before=$(mosquitto_state)
install_packages "$role"
make_users
install_software
if is_station; then
    settle_station "$config"
    settle_time
    settle_logs "$logs"
    settle_devices
    if is_pi; then settle_pi "$rtc"; fi
fi
if is_hub; then
    settle_hub
    settle_broker "$mosquitto_before"
fi
install_units
if is_station; then enable_units gatepost-kiosk.service gatepost-screen.service gatepost-shutdown.path seatd.service; fi
if is_hub; then
    enable_units gatepost-hub.target gatepost-broker.service gatepost-broker-reload.path gatepost-ingest.service \
        gatepost-scheduler.service gatepost-web.service
fi
set_in_motion "$role"
if [ "$read_only" = yes ]; then make_read_only; fi
tell_what_is_left "$role"
