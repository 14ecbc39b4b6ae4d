# Sourced by install.sh and uninstall.sh: words, files that change only when they differ, and what this machine is.
# shellcheck shell=sh

# shellcheck disable=SC2034 # used by those that source this
OPT=/opt/gatepost ETC=/etc/gatepost LIB=/var/lib/gatepost UNITS=/etc/systemd/system
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ledger=$scratch/ledger
: >"$ledger"

# One line for one step.
say() {
    printf '%s\n' "$*"
}

# Something was changed: said, and noted in a file, since the end of a pipeline is a shell of its own.
changed() {
    echo "$*" >>"$ledger"
    say "  $*"
}

# How many changes so far.
changes() {
    wc -l <"$ledger"
}

# What failed, then what to do about it, a line each.
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    shift
    for line; do printf '    %s\n' "$line" >&2; done
    exit 1
}

# Write all of standard input to a file, at one stroke: put TARGET [MODE [GROUP]]. Left alone when it says the same already.
put() {
    fresh=$scratch/fresh
    cat >"$fresh"
    if ! cmp -s "$fresh" "$1"; then
        { install -D -m "${2:-644}" -o root -g "${3:-root}" "$fresh" "$1.new" && mv -f "$1.new" "$1"; } ||
            fail "$1 could not be written" "See whether the disk is full (df -h) or read-only (findmnt /)."
        changed "wrote $1"
    fi
}

# Remove what is there: take_away PATH…
take_away() {
    for path; do
        if [ -e "$path" ] || [ -L "$path" ]; then
            rm -rf "$path"
            changed "removed $path"
        fi
    done
}

# Whether systemd runs this machine; it doesn't in a chroot or most containers.
systemd_runs() {
    [ -d /run/systemd/system ]
}

is_pi() {
    grep -qs 'Raspberry Pi' /proc/device-tree/model
}

# Whether the root is covered by a file system in memory, so that whatever is written is gone at the next start.
root_is_overlaid() {
    [ "$(findmnt -n -o FSTYPE / 2>/dev/null || true)" = overlay ] && grep -qs 'overlayroot=' /proc/cmdline
}
