//! ext4 images judged by e2fsprogs.
