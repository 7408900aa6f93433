#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The bondkit authors
#
# Usage: scripts/setup.sh lab|host|kernel|test
#
# Checks that the machine has what a make target needs. As root on Debian or
# Ubuntu it installs what is missing; elsewhere it says what to install and
# ends with status 1. It says nothing where nothing is missing.
#
#   lab     the demonstration network (make lab)
#   host    the tests on this kernel (make test-host)
#   kernel  the tests in virtual machines (make test-kernel, make lab-kernel)
#   test    host and kernel (make test)
set -eu

PATH=$PATH:/usr/sbin:/sbin

mode=${1-}
case $mode in
lab | host | kernel | test) ;;
*)
	echo "usage: $0 lab|host|kernel|test" >&2
	exit 2
	;;
esac

# The package names of one need: tool, Debian and Ubuntu, Fedora, Arch.
packages() {
	case $1 in
	ip) echo "iproute2 iproute iproute2" ;;
	tc) echo "iproute2 iproute-tc iproute2" ;;
	nft) echo "nftables nftables nftables" ;;
	ethtool) echo "ethtool ethtool ethtool" ;;
	gcc) echo "gcc gcc gcc" ;;
	libc-headers) echo "libc6-dev glibc-devel glibc" ;;
	certificates) echo "ca-certificates ca-certificates ca-certificates" ;;
	qemu-system-x86_64) echo "qemu-system-x86 qemu-system-x86-core qemu-system-x86" ;;
	xz) echo "xz-utils xz xz" ;;
	apt-get) echo "apt apt apt" ;;
	dpkg-deb) echo "dpkg dpkg dpkg" ;;
	gpgv) echo "gpgv gnupg2 gnupg" ;;
	zstd) echo "zstd zstd zstd" ;;
	debian-keyring) echo "debian-archive-keyring debian-keyring debian-archive-keyring" ;;
	esac
}

# has reports whether a need is met.
has() {
	case $1 in
	libc-headers)
		# The race detector links with C, so that is what is tried.
		echo 'int main(void){return 0;}' |
			"${CC:-gcc}" -include stdlib.h -pthread -x c -o /dev/null - 2>/dev/null
		;;
	certificates)
		[ -n "${SSL_CERT_FILE-}${SSL_CERT_DIR-}" ] && return 0
		for f in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
			/etc/ssl/ca-bundle.pem /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/ssl/cert.pem; do
			[ -e "$f" ] && return 0
		done
		return 1
		;;
	gcc) command -v "${CC:-gcc}" >/dev/null 2>&1 ;;
	debian-keyring) ls /usr/share/keyrings/debian-archive-keyring.* >/dev/null 2>&1 ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

needs="certificates"
case $mode in lab | host | test) needs="$needs ip tc nft" ;; esac
case $mode in host | test) needs="$needs ethtool gcc libc-headers" ;; esac
case $mode in kernel | test) needs="$needs ip tc nft ethtool qemu-system-x86_64 xz zstd apt-get dpkg-deb gpgv debian-keyring" ;; esac

# missing sets $missing to the needs that are not met.
missing() {
	missing=
	for n in $needs; do
		has "$n" || case " $missing " in *" $n "*) ;; *) missing="$missing $n" ;; esac
	done
}

# column prints the packages of the missing needs for one distribution.
column() {
	for n in $missing; do
		# shellcheck disable=SC2046
		set -- "$1" $(packages "$n")
		eval "echo \${$(($1 + 1))}"
	done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

is_debian() {
	[ -r /etc/os-release ] || return 1
	# shellcheck disable=SC1091
	case " $(. /etc/os-release && echo "${ID-} ${ID_LIKE-}") " in
	*" debian "* | *" ubuntu "*) command -v apt-get >/dev/null 2>&1 ;;
	*) return 1 ;;
	esac
}

missing
if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && is_debian; then
	list=$(column 1)
	echo "setup: installing $list"
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	# An index that could not be read may not be the one that is needed.
	apt-get -q update >"$log" 2>&1 || echo "setup: apt-get update had errors, see below" >>"$log"
	# shellcheck disable=SC2086
	if ! apt-get -q install -y --no-install-recommends $list >>"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		echo "setup: apt-get could not install $list" >&2
		exit 1
	fi
	rm -f "$log"
	missing
fi

if [ -n "$missing" ]; then
	echo "setup: missing:$missing" >&2
	echo "setup: install it and try again:" >&2
	if is_debian; then
		echo "  sudo apt-get install -y --no-install-recommends $(column 1)" >&2
	else
		echo "  Debian, Ubuntu: $(column 1)" >&2
		echo "  Fedora:         $(column 2)" >&2
		echo "  Arch:           $(column 3)" >&2
	fi
	exit 1
fi

if ! command -v go >/dev/null 2>&1; then
	echo "setup: missing: go; install Go 1.26 or newer (https://go.dev/doc/install) and put it in PATH" >&2
	exit 1
fi
