#!/bin/sh
# Let the stations in over TLS: a certificate authority of the hub's own, a certificate for its broker, a listener on port 8883.
#   certificate.sh NAME…     the hub's names and addresses as the stations reach it, such as hub.example.org 10.1.2.3
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/common.sh"
tls=$ETC/tls days=3650

[ "$(id -u)" -eq 0 ] || fail "not root" "Run: sudo sh $0 $*"
[ $# -gt 0 ] || fail "no name given" "Give the hub's names and addresses as the stations reach it: certificate.sh hub.example.org 10.1.2.3"
[ -d "$LIB/hub" ] || fail "there is no hub here" "Run: install.sh hub"

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
put "$ETC/mosquitto.d/tls.conf" 640 gatepost <<TEXT
listener 8883
certfile $tls/broker.pem
keyfile $tls/broker.key
tls_version tlsv1.3
TEXT
if systemd_runs; then systemctl try-restart gatepost-broker.service; fi
say "the broker takes TLS on port 8883 for: $names"
say "in $LIB/hub/hub.toml, under [broker]: host = \"localhost\", port = 8883, ca_file = \"ca.pem\"; then: systemctl restart gatepost-hub.target"
say "to each station go kiosk.toml and, beside it, $LIB/hub/ca.pem"
