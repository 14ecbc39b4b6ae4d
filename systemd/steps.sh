# Sourced by install.sh: its steps, one function each.
# shellcheck shell=sh
# shellcheck disable=SC2154 # here: install.sh's folder

check_machine() {
    command -v dpkg >/dev/null || fail "this is no Debian" "Use Debian 12 or 13, or the 64-bit Raspberry Pi OS."
    architecture=$(dpkg --print-architecture)
    case "$architecture" in
        arm64 | amd64) ;;
        *) fail "this system is of $architecture, and Gatepost needs 64 bits (arm64 or amd64)" \
            "OpenCV, numpy and zxing-cpp are not made for it. Write the 64-bit Raspberry Pi OS Lite to the card." ;;
    esac
    release=$(. /etc/os-release && echo "${ID:-} ${VERSION_ID:-}")
    case "$release" in
        "debian 12" | "debian 13") ;;
        *) fail "this system is '$release', not Debian 12 or 13" "Install one of these, or Raspberry Pi OS Bookworm or Trixie." ;;
    esac
    if root_is_overlaid; then
        fail "the root file system is read-only: what is installed now would be gone at the next start" \
            "Run: install.sh --writable, restart, and run this again."
    fi
    model=$(tr -d '\0' 2>/dev/null </proc/device-tree/model || true)
    say "machine: $release, $architecture${model:+, $model}"
}

check_options() {
    [ -z "$1" ] || [ -r "$1" ] || fail "--config $1: no such file" "On the hub: hub station add … --output kiosk.toml"
    case "$2" in '' | persistent | volatile) ;; *) fail "--logs $2: it may be persistent or volatile" ;; esac
}

mosquitto_state() {
    dpkg-query -W -f '${db:Status-Status}' mosquitto 2>/dev/null || echo absent
}

install_packages() {
    case "$1" in both) groups='station hub' ;; *) groups=$1 ;; esac
    # shellcheck disable=SC2016 # the dollars are dpkg-query's
    if ! dpkg-query -W -f '${db:Status-Status} ${Provides}\n' | grep -q '^installed .*time-daemon'; then groups="$groups time"; fi
    # shellcheck disable=SC2086
    installed=$(sh "$here/packages.sh" $groups) ||
        fail "packages could not be installed" "Check the network (apt-get update), the clock (date) and the disk (df -h), then run this again."
    if [ -n "$installed" ]; then changed "$installed"; fi
    say "packages: all there ($groups)"
}

make_group() {
    getent group "$1" >/dev/null || { groupadd --system "$1" && changed "made group $1"; }
}

make_user() { # NAME HOME GROUP…
    name=$1 home=$2
    shift 2
    getent passwd "$name" >/dev/null || {
        useradd --system --user-group --home-dir "$home" --no-create-home --shell /usr/sbin/nologin --comment Gatepost "$name" ||
            fail "user $name could not be made" "See whether /etc/passwd can be written, and whether a group of that name stands alone."
        changed "made user $name"
    }
    for group; do
        make_group "$group"
        id -nG "$name" | tr ' ' '\n' | grep -qx "$group" || { usermod -aG "$group" "$name" && changed "put $name into group $group"; }
    done
}

make_users() {
    make_user gatepost "$LIB" i2c gpio video input dialout audio
    make_user gatepost-screen /run/gatepost-screen video render
    say "users: gatepost, gatepost-screen"
}

# What the software is: a name that changes with any of its files.
fingerprint() {
    (
        cd "$here/.." || exit 1
        python3 -V
        find contract kiosk hub pyproject.toml systemd/requirements.lock -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z |
            xargs -0 sha256sum
    ) | sha256sum | cut -c1-12
}

# Each version in a folder of its own; /opt/gatepost/venv points to the one in use, so that a failed update changes nothing.
install_software() {
    version=$(fingerprint)
    if [ "$(readlink "$OPT/venv" || true)" = "releases/$version" ]; then
        say "software: $version is in use"
        return
    fi
    build=$scratch/build
    mkdir "$build"
    (cd "$here/.." && cp -R contract kiosk hub pyproject.toml README.md LICENSE systemd "$build")
    mkdir -p "$OPT/releases"
    (cd "$build" && sh systemd/venv.sh --appliance "$OPT/releases/$version") ||
        fail "the Python packages could not be installed" "Check the network and the disk (df -h /opt), then run this again; the version in use is untouched."
    # The distribution's own modules for the Pi's devices (lgpio, evdev, picamera2) come after those of the lock file.
    sed -i 's/^include-system-site-packages = .*/include-system-site-packages = true/' "$OPT/releases/$version/pyvenv.cfg"
    for command in kiosk hub; do
        "$OPT/releases/$version/bin/$command" --help >/dev/null ||
            fail "the new version's $command does not start" "The version in use is untouched. Report the message above."
    done
    previous=$(readlink "$OPT/venv" || true)
    ln -sfn "releases/$version" "$OPT/venv"
    ln -sfn "$OPT/venv/bin/kiosk" /usr/local/bin/kiosk
    ln -sfn "$OPT/venv/bin/hub" /usr/local/bin/hub
    find "$OPT/releases" -mindepth 1 -maxdepth 1 ! -name "$version" ! -name "${previous##*/}" -exec rm -rf {} +
    changed "software: $version in $OPT/venv${previous:+, the one before is kept in $OPT/$previous}"
}

make_folder() { # PATH OWNER GROUP MODE
    [ -d "$1" ] && [ "$(stat -c '%U %G %a' "$1")" = "$2 $3 $4" ] && return
    install -d -o "$2" -g "$3" -m "$4" "$1" || fail "$1 could not be made" "See whether the disk is read-only (findmnt /)."
    changed "made $1"
}

setting() { # SECTION.KEY DEFAULT
    python3 "$here/setting.py" "$ETC/kiosk.toml" "$@" || fail "$ETC/kiosk.toml can't be read" "Mend the line that is named above."
}

settle_station() {
    make_folder "$ETC" root root 755
    make_folder "$LIB" gatepost gatepost 750
    make_folder "$LIB/data" gatepost gatepost 750
    # kiosk.toml's `data` is taken from its own folder.
    if [ ! -e "$ETC/data" ]; then ln -s "$LIB/data" "$ETC/data" && changed "linked $ETC/data to $LIB/data"; fi
    if [ -n "$1" ] && [ -e "$ETC/kiosk.toml" ]; then
        say "  $ETC/kiosk.toml is there and is kept; to use $1 instead, move that one away first"
    elif [ -n "$1" ]; then
        put "$ETC/kiosk.toml" 640 gatepost <"$1"
        for what in ca_file certificate key; do
            named=$(setting "hub.$what" '')
            case "$named" in
                '' | /*) ;;
                *)
                    [ -r "$(dirname "$1")/$named" ] || fail "$named, which $1 names, is not beside it" "Copy it there from the station's kit."
                    put "$ETC/$named" 640 gatepost <"$(dirname "$1")/$named"
                    ;;
            esac
        done
    fi
    if [ -e "$ETC/kiosk.toml" ]; then
        port=$(setting screen.port 8080)
        gate=$(setting place.gate_name '?')
        echo "SCREEN_URL=http://127.0.0.1:$port/" | put "$ETC/screen.env"
        say "station: at $gate, from $ETC/kiosk.toml"
    else
        say "station: no $ETC/kiosk.toml yet"
    fi
}

settle_time() {
    servers='0.debian.pool.ntp.org 1.debian.pool.ntp.org 2.debian.pool.ntp.org'
    hub=127.0.0.1
    if [ -e "$ETC/kiosk.toml" ]; then hub=$(setting hub.host 127.0.0.1); fi
    case "$hub" in 127.* | localhost | ::1) ;; *) servers="$hub $servers" ;; esac
    if [ -e /lib/systemd/system/systemd-timesyncd.service ]; then
        printf '[Time]\nNTP=%s\nRootDistanceMaxSec=5\n' "$servers" | put /etc/systemd/timesyncd.conf.d/60-gatepost.conf
        say "time: from ${servers%% *}"
    else
        say "time: another program keeps it; have it ask ${servers%% *} too"
    fi
}

settle_logs() {
    put /etc/systemd/journald.conf.d/60-gatepost.conf <"$here/etc/journald.conf"
    case "$1" in
        volatile) put /etc/systemd/journald.conf.d/61-gatepost-volatile.conf <"$here/etc/journald-volatile.conf" ;;
        persistent) take_away /etc/systemd/journald.conf.d/61-gatepost-volatile.conf ;;
    esac
    say "logs: 100 MB at most"
}

settle_devices() {
    put /etc/udev/rules.d/60-gatepost.rules <"$here/etc/udev.rules"
    put /etc/modules-load.d/gatepost.conf <"$here/etc/modules-load.conf"
    if [ "$(systemctl get-default)" = graphical.target ] && [ -e /etc/systemd/system/display-manager.service ]; then
        systemctl --quiet set-default multi-user.target
        changed "the desktop no longer starts by itself; to have it back: systemctl set-default graphical.target"
    fi
    say "devices: rules and modules in place"
}

settle_pi() {
    boot=/boot/firmware/config.txt
    [ -f "$boot" ] || fail "$boot is not there" "Mount the boot partition: mount /boot/firmware"
    if [ -n "$1" ]; then clock=$(clock_line "$1"); else clock=$(kept_clock "$boot"); fi
    before=$(changes)
    pi_lines "$clock" | with_block "$boot" | put "$boot" 755
    # shellcheck disable=SC2094 # `put` reads all before it writes
    without_serial_console <"${boot%/*}/cmdline.txt" | put "${boot%/*}/cmdline.txt" 755
    put /etc/systemd/system.conf.d/60-gatepost.conf <"$here/etc/watchdog.conf"
    if [ "$(changes)" -gt "$before" ]; then say "  these take effect at the next start: sudo reboot"; fi
    say "Raspberry Pi: I2C, serial port, hardware watchdog${clock:+, $clock}"
}

settle_hub() {
    make_folder "$ETC" root root 755
    make_folder "$LIB" gatepost gatepost 750
    make_folder "$LIB/hub" gatepost gatepost 750
    if [ ! -e "$LIB/hub/hub.toml" ]; then
        (cd "$LIB/hub" && runuser -u gatepost -- "$OPT/venv/bin/hub" init --config "$LIB/hub/hub.toml") ||
            fail "the hub could not be set up" "Mend what is said above, then run this again."
        changed "made the hub's configuration, store, keys and first account"
    fi
    say "hub: $LIB/hub/hub.toml"
}

settle_broker() {
    make_folder "$ETC/mosquitto.d" root gatepost 750
    [ -e "$ETC/mosquitto.conf" ] || put "$ETC/mosquitto.conf" 644 <"$here/etc/mosquitto.conf"
    if systemctl is-enabled --quiet mosquitto.service 2>/dev/null; then
        if [ "$1" = installed ]; then
            say "broker: Mosquitto ran here before and is left alone. If it holds port 1883, give ours another in $ETC/mosquitto.conf"
            say "    and $LIB/hub/hub.toml, or end it: systemctl disable --now mosquitto"
            return
        fi
        systemctl --quiet disable mosquitto.service
        if systemd_runs; then systemctl --quiet stop mosquitto.service; fi
        changed "Debian's own mosquitto.service is off: gatepost-broker.service is in its place"
    fi
    say "broker: $ETC/mosquitto.conf"
}

install_units() {
    before=$(changes)
    for unit in "$here"/gatepost-*.service "$here"/gatepost-*.path "$here"/gatepost-*.target; do
        put "${UNITS:?}/${unit##*/}" <"$unit"
    done
    put "$UNITS/gatepost-.service.d/10-hardening.conf" <"$here/gatepost-.service.d/10-hardening.conf"
    if [ "$(changes)" -gt "$before" ] && systemd_runs; then systemctl daemon-reload; fi
    say "units: in $UNITS"
}

enable_units() {
    for unit; do
        systemctl is-enabled --quiet "$unit" 2>/dev/null && continue
        systemctl --quiet enable "$unit" || fail "$unit could not be enabled" "Read: systemctl status $unit"
        changed "enabled $unit"
    done
}

set_in_motion() {
    if ! systemd_runs; then
        say "start: systemd does not run here, so nothing is started; the units start when this system is booted"
        return
    fi
    station='gatepost-kiosk.service gatepost-screen.service gatepost-shutdown.path'
    case "$1" in
        station) units=$station ;;
        hub) units=gatepost-hub.target ;;
        *) units="gatepost-hub.target $station" ;;
    esac
    verb=start
    if [ "$(changes)" -gt 0 ]; then
        verb=restart
        systemctl try-restart systemd-journald.service systemd-timesyncd.service || say "  log or time service did not restart; going on"
        udevadm control --reload || say "  udev did not take its rules; they hold from the next start on"
    fi
    # Without waiting: the screen starts only when the station answers.
    # shellcheck disable=SC2086
    systemctl --no-block "$verb" $units || fail "the units could not be started" "Read: journalctl -b -u 'gatepost-*'"
    say "start: ${verb}ed $units"
}

tell_what_is_left() {
    if [ "$1" != hub ] && [ ! -e "$ETC/kiosk.toml" ]; then
        say "left to do: on the hub 'hub station add … --output kiosk.toml', then here: install.sh $1 --config kiosk.toml"
    fi
    if [ "$(changes)" -eq 0 ]; then say "done: nothing had to be changed"; else say "done: $(changes) changes"; fi
}
