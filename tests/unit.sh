#!/bin/sh
# Checks systemd/baton.service: it is well formed, and its sandbox is tight.
set -eu
cd "$(dirname "$0")/.."

# `verify` wants the program to be there: a copy of the unit names one that is.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sed "s|^ExecStart=/usr/bin/baton|ExecStart=/bin/true|" systemd/baton.service >"$dir/baton.service"
! cmp -s systemd/baton.service "$dir/baton.service" || { echo "unit: no ExecStart=/usr/bin/baton" >&2; exit 1; }

said=$(systemd-analyze verify "$dir/baton.service" 2>&1) || { echo "$said" >&2; exit 1; }
[ -z "$said" ] || { echo "$said" >&2; exit 1; }

# The threshold is in tenths: 2.0.
systemd-analyze security --offline=true --threshold=20 --no-pager "$dir/baton.service" >"$dir/security" || {
    cat "$dir/security" >&2
    exit 1
}
tail -n 1 "$dir/security"
