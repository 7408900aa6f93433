#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The bondkit authors
#
# Usage: scripts/qemu.sh [CODENAME]
#
# Prints the path of a program that is QEMU 8 or newer, which the tests of
# package ethtool want for the network device igb:
#
#   vmtest -qemu "$(scripts/qemu.sh)" -kernel 6.1-generic -- ...
#
# That is the QEMU of the machine if it is new enough. Otherwise the one of
# Debian's CODENAME-backports (of this release if it is not given) is fetched into
# the cache, $BONDKIT_CACHE or bondkit in the user's cache directory. No privilege is needed, and nothing is
# installed. Its libraries are those of the machine. Without Debian entries in the machine's
# sources give the address of an archive in BONDKIT_MIRROR. Status 1 where there is none.
set -eu

need=8
major() { "$1" --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p'; }

have=$(command -v qemu-system-x86_64 || true)
if [ -n "$have" ] && [ "$(major "$have")" -ge $need ]; then
	echo "$have"
	exit 0
fi

# shellcheck disable=SC1091
codename=${1-$(. /etc/os-release && echo "${VERSION_CODENAME-}")}
cache=${BONDKIT_CACHE-${XDG_CACHE_HOME-$HOME/.cache}/bondkit}/qemu/$codename
program=$cache/qemu-system-x86_64
if [ -x "$program" ] && [ "$(major "$program")" -ge $need ]; then
	echo "$program"
	exit 0
fi

keyring=
for f in /usr/share/keyrings/debian-archive-keyring.*; do
	if [ -e "$f" ]; then keyring=$f; fi
done
if [ -z "$keyring" ] || ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
	echo "qemu.sh: needs apt, dpkg and debian-archive-keyring" >&2
	exit 1
fi

# The archive that the machine uses, from both forms of apt's sources.
mirror=${BONDKIT_MIRROR-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
	sed -n -e 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' -e 's/^URIs: *\([^ ]*\).*/\1/p' | grep '/debian/*$' | head -n 1)}
if [ -z "$mirror" ]; then
	echo "qemu.sh: no Debian archive in the sources of apt; give one in BONDKIT_MIRROR" >&2
	exit 1
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/.fetch-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/deb" "$work/tree"
echo "deb [signed-by=$keyring] $mirror $codename-backports main" >"$work/sources.list"
: >"$work/status"
cat >"$work/apt.conf" <<CONF
Dir::State "$work";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Acquire::Languages "none";
APT::Architecture "amd64";
APT::Sandbox::User "";
CONF
export APT_CONFIG="$work/apt.conf"
if ! (apt-get -q update && cd "$work/deb" && apt-get -q download qemu-system-x86 qemu-system-common qemu-system-data seabios) >"$work/log" 2>&1; then
	cat "$work/log" >&2
	echo "qemu.sh: no QEMU in $codename-backports" >&2
	exit 1
fi
for f in "$work"/deb/*.deb; do
	dpkg-deb -x "$f" "$work/tree"
done
rm -rf "$cache/tree"
mv "$work/tree" "$cache/tree"
cat >"$program.new" <<RUN
#!/bin/sh
exec "$cache/tree/usr/bin/qemu-system-x86_64" -L "$cache/tree/usr/share/qemu" -L "$cache/tree/usr/share/seabios" "\$@"
RUN
chmod +x "$program.new"
mv "$program.new" "$program"
if [ "$(major "$program")" -lt $need ] 2>/dev/null || ! "$program" --version >/dev/null 2>"$cache/log"; then
	cat "$cache/log" >&2
	echo "qemu.sh: $program is not what the tests want" >&2
	exit 1
fi
echo "$program"
