#!/bin/sh
# setup-var.sh DEVICE: makes the slot's /var from the root file system's unless the device holds one.
set -eu

device=$1
if blkid -p -s TYPE -o value "$device" > /dev/null; then
    exit 0
fi
exec mkfs.ext4 -q -d /var -L var "$device"
