# Sourced by install.sh: the root file system under an overlay in memory, with the station's data on a partition of its own.
# shellcheck shell=sh

# Standard input with root alone overlaid: by itself overlayroot also covers every other file system of /etc/fstab.
root_alone() {
    sed -E 's/overlayroot=tmpfs(:recurse=[01])?( |$)/overlayroot=tmpfs:recurse=0\2/'
}

# Standard input without the overlay.
without_overlay() {
    sed -E 's/overlayroot=[^ ]* ?//'
}

check_read_only() {
    command -v raspi-config >/dev/null ||
        fail "--read-only needs raspi-config, which only Raspberry Pi OS has" "Leave the option out on this system."
    { mountpoint -q "$LIB" && findmnt --fstab --mountpoint "$LIB" >/dev/null; } ||
        fail "--read-only needs $LIB on a partition of its own, named in /etc/fstab" \
            "Without it each restart would forget the journal. docs/operations.md, 'Read-only root', tells how to make one."
}

make_read_only() {
    if grep -q 'overlayroot=tmpfs:recurse=0' /boot/firmware/cmdline.txt; then
        say "read-only root: set already"
        return
    fi
    say "read-only root: making the overlay (a minute or two)"
    raspi-config nonint enable_overlayfs >/dev/null ||
        fail "raspi-config could not make the overlay" "Run 'raspi-config nonint enable_overlayfs' and read what it says."
    # shellcheck disable=SC2094 # `put` reads all before it writes
    root_alone </boot/firmware/cmdline.txt | put /boot/firmware/cmdline.txt 755
    say "read-only root: from the next restart on; to change anything: install.sh --writable, then restart"
}

make_writable() {
    [ -f /boot/firmware/cmdline.txt ] || fail "/boot/firmware/cmdline.txt is not there" "Nothing to take off on this machine."
    mount -o remount,rw /boot/firmware 2>/dev/null || true
    # shellcheck disable=SC2094 # `put` reads all before it writes
    without_overlay </boot/firmware/cmdline.txt | put /boot/firmware/cmdline.txt 755
    say "the root file system is writable from the next restart on: sudo reboot"
}
