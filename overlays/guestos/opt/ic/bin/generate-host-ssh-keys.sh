#!/bin/sh
# Makes the machine's SSH host keys on its first boot; they live on the config partition, so that every slot has them.
set -eu

keys=/boot/config/ssh
mkdir -p "$keys"
chmod 0700 "$keys"
for kind in ecdsa ed25519 rsa; do
    key=$keys/ssh_host_${kind}_key
    [ -s "$key" ] || ssh-keygen -q -N '' -t "$kind" -f "$key"
done
