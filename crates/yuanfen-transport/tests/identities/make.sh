#!/bin/sh
# Makes the files of this folder anew: a throw-away authority, one merchant certificate of it, and that certificate with
# its key as PKCS#12 in the ways that are met. Made with OpenSSL 3.0.19 on 2026-11-22. The password is the merchant
# number, as on the files that WeChat Pay hands out. Nothing here is or ever was in use.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
days=36500
password=pass:1900000109

openssl req -x509 -newkey rsa:2048 -nodes -days "$days" -subj '/CN=throw-away merchant CA' \
    -keyout "$work/ca.key" -out authority.pem
openssl req -newkey rsa:2048 -nodes -subj '/CN=1900000109' -keyout "$work/merchant.key" -out "$work/merchant.csr"
printf 'subjectAltName=DNS:merchant.example\n' > "$work/extensions"
openssl x509 -req -in "$work/merchant.csr" -CA authority.pem -CAkey "$work/ca.key" -CAcreateserial \
    -days "$days" -extfile "$work/extensions" -out "$work/merchant.pem"

export_as() {
    name=$1
    shift
    openssl pkcs12 -export -inkey "$work/merchant.key" -in "$work/merchant.pem" -certfile authority.pem \
        -name 'Tenpay Certificate' -passout "$password" -out "$name.p12" "$@"
}

# What WeChat Pay hands out: certificates under RC2-40, the key under 3DES, a MAC with SHA-1.
export_as rc2-40-and-3des -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -macalg sha1
# What OpenSSL 1.1 writes where RC2 is switched off.
export_as 3des -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1
# What OpenSSL 3 writes: PBES2 with AES-256, a MAC with SHA-256.
export_as aes-256
# The certificates in the open.
export_as open-certificates -certpbe NONE

# Not read here, each for one reason.
export_as no-mac -nomac
export_as md5-mac -macalg md5
export_as rc2-128 -legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-3DES -macalg sha1
export_as camellia -certpbe AES-256-CBC -keypbe CAMELLIA-256-CBC
openssl pkcs12 -export -nokeys -in "$work/merchant.pem" -passout "$password" -out no-key.p12
openssl pkcs12 -export -inkey "$work/merchant.key" -nocerts -passout "$password" -out no-certificate.p12
