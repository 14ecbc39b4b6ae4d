#!/bin/sh
# Let the stations in over TLS: an authority for the broker, a certificate of its own, and a listener on port 8883 that takes the
# stations' certificates, which the hub gives. Harmless when run again: the broker then has a new certificate by the same authority.
#   certificate.sh NAME…     the hub's names and addresses as the stations reach it, such as hub.example.org 10.1.2.3
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/common.sh"
tls=$ETC/tls days=3650

[ "$(id -u)" -eq 0 ] || fail "not root" "Run: sudo sh $0 $*"
[ $# -gt 0 ] || fail "no name given" "Give the hub's names and addresses as the stations reach it: certificate.sh hub.example.org 10.1.2.3"
[ -e "$LIB/hub/hub.toml" ] || fail "there is no hub here" "Run: install.sh hub"

names=DNS:localhost,IP:127.0.0.1
for name; do
    case "$name" in
        *[!0-9.]*) names="$names,DNS:$name" ;;
        *) names="$names,IP:$name" ;;
    esac
done

quietly() {
    said=$("$@" 2>&1) || fail "$1 $2 failed" "$said"
}

install -d -m 750 -o root -g gatepost "$tls"
if [ ! -e "$tls/ca.key" ]; then
    quietly openssl req -x509 -newkey ed25519 -nodes -days "$days" -subj "/CN=Gatepost hub's own authority" \
        -addext keyUsage=critical,keyCertSign -keyout "$tls/ca.key" -out "$tls/ca.pem"
fi
quietly openssl req -newkey ed25519 -nodes -subj "/CN=$1" -keyout "$tls/broker.key" -out "$tls/broker.csr"
cat >"$tls/broker.ext" <<TEXT
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=$names
TEXT
quietly openssl x509 -req -in "$tls/broker.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days "$days" \
    -extfile "$tls/broker.ext" -out "$tls/broker.pem"
rm -f "$tls/broker.csr" "$tls/broker.ext"
chown root:gatepost "$tls"/*
chmod 640 "$tls"/*.key
chmod 600 "$tls/ca.key"
put "$LIB/hub/ca.pem" <"$tls/ca.pem"
hub_toml=$LIB/hub/hub.toml
if ! grep -q '^\[stations\]' "$hub_toml"; then
    printf '\n[stations]                          # over TLS, each with a certificate of its own\nhost = "%s"\nca_file = "ca.pem"\n' "$1" >>"$hub_toml"
    changed "$hub_toml: stations come over TLS, to $1"
fi
if grep -q '^host = "localhost"' "$hub_toml"; then
    say "  in $hub_toml, under [broker], the hub itself now comes by host = \"127.0.0.1\", port = 1883, without ca_file: change that"
fi
# Writes the stations' authority and the list of revoked certificates, without which the listener does not start.
(cd "$LIB/hub" && quietly runuser -u gatepost -- "$OPT/venv/bin/hub" init --config "$hub_toml")
put "$ETC/mosquitto.d/tls.conf" 640 gatepost <"$here/etc/mosquitto-tls.conf"
if systemd_runs; then systemctl try-restart gatepost-hub.target; fi
say "the broker takes stations on port 8883, by TLS and their certificates, under: $names"
say "for a station that can't join by itself: hub station add ID --gate GATE --out FOLDER, and the folder's files go to it"
