# Sourced by install.sh and uninstall.sh: what only a Raspberry Pi has.
# shellcheck shell=sh

BEGIN='# Gatepost begins: written by install.sh, again at each run'
END='# Gatepost ends'

# config.txt without our lines: without_block FILE
without_block() {
    awk -v begin="$BEGIN" -v end="$END" '$0 == begin { skip = 1 } !skip { print } $0 == end { skip = 0 }' "$1"
}

# The file with the lines of standard input at its end as ours; nothing of ours when there are none: with_block FILE
with_block() {
    without_block "$1"
    lines=$(cat)
    [ -z "$lines" ] || printf '%s\n%s\n%s\n' "$BEGIN" "$lines" "$END"
}

# What config.txt says of a real-time clock in our lines already: kept_clock FILE
kept_clock() {
    awk -v begin="$BEGIN" -v end="$END" '$0 == begin { ours = 1 } ours && /i2c-rtc|rtc_bbat/ { print } $0 == end { ours = 0 }' "$1"
}

# The line for a real-time clock: clock_line CHIP
clock_line() {
    case "$1" in
        ds3231 | ds1307 | pcf8523 | pcf8563 | rv3028) echo "dtoverlay=i2c-rtc,$1" ;;
        pi5) echo "dtparam=rtc_bbat_vchg=3000000" ;; # charges the battery of the Pi 5's own clock, 3.0 V
        *) fail "--rtc $1 is no clock that is known here" "It may be ds3231, ds1307, pcf8523, pcf8563, rv3028 or pi5." ;;
    esac
}

# Ours for config.txt: I2C, the hardware watchdog, the serial port on GPIO 14 and 15, a clock: pi_lines CLOCK_LINE
pi_lines() {
    printf '[all]\ndtparam=i2c_arm=on\ndtparam=watchdog=on\nenable_uart=1\n'
    [ -z "$1" ] || printf '%s\n' "$1"
    printf '[pi5]\ndtparam=uart0=on\n[all]\n'
}

# The kernel's command line of standard input without a console on the serial port, which belongs to a thermometer.
without_serial_console() {
    sed -E 's/console=(serial0|ttyAMA0|ttyS0)(,[0-9]+[^ ]*)? ?//g'
}
