#!/bin/sh
# Take Gatepost off this machine. Configuration and data stay, unless --purge is given. Packages stay.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/common.sh"
. "$here/pi.sh"

purge=
case "${1:-}" in
    '') ;;
    --purge) purge=yes ;;
    *) fail "unknown: $1" "uninstall.sh [--purge]      --purge: also $ETC, $LIB with every entry not yet sent, and the users" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "not root" "Run: sudo sh $0 $*"
if root_is_overlaid; then
    fail "the root file system is read-only" "Run: install.sh --writable, restart, and run this again."
fi

for unit in "$UNITS"/gatepost-*.path "$UNITS"/gatepost-*.target "$UNITS"/gatepost-*.service; do
    [ -e "$unit" ] || continue
    if systemd_runs; then systemctl stop "${unit##*/}" || say "  ${unit##*/} did not stop; going on"; fi
    systemctl --quiet disable "${unit##*/}" 2>/dev/null || true
    take_away "$unit"
done
take_away "$UNITS/gatepost-.service.d" "$OPT" /etc/systemd/journald.conf.d/60-gatepost.conf \
    /etc/systemd/journald.conf.d/61-gatepost-volatile.conf /etc/systemd/timesyncd.conf.d/60-gatepost.conf \
    /etc/systemd/system.conf.d/60-gatepost.conf /etc/udev/rules.d/60-gatepost.rules /etc/modules-load.d/gatepost.conf
for command in kiosk hub; do
    if [ "$(readlink "/usr/local/bin/$command" || true)" = "$OPT/venv/bin/$command" ]; then take_away "/usr/local/bin/$command"; fi
done
if is_pi && [ -f /boot/firmware/config.txt ]; then
    with_block /boot/firmware/config.txt </dev/null | put /boot/firmware/config.txt 755
fi
if systemd_runs; then systemctl daemon-reload; fi
if [ -n "$purge" ]; then
    take_away "$ETC"
    if mountpoint -q "$LIB"; then find "$LIB" -mindepth 1 -delete; else take_away "$LIB"; fi
    for user in gatepost gatepost-screen; do
        if getent passwd "$user" >/dev/null; then userdel "$user" && changed "removed user $user"; fi
    done
    say "done: all of Gatepost is gone; Debian's packages are left"
else
    say "done: kept are $ETC, $LIB and the users; uninstall.sh --purge removes them too"
fi
