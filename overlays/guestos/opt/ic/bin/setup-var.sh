#!/bin/sh
# setup-var.sh DEVICE: makes the slot's /var from the root file system's unless the device holds one.
set -eu

device=$1
[ -z "$(blkid -p -s TYPE -o value "$device")" ] || exit 0
exec mkfs.ext4 -q -d /var -L var "$device"
