#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The bondkit authors
#
# Usage: scripts/test.sh host|kernel|all|cross|fuzz
#
# Runs every check, also after one has failed, and ends with a line for each
# and status 1 if any failed. The Makefile sets the variables; see there.
set -uo pipefail

cd "$(dirname "$0")/.." || exit 1

: "${GO:=go}"
: "${KERNELS:=5.10 6.1 6.12 newest}"
: "${KERNEL_PKGS:=./internal/rtnl ./internal/lab ./arpmon ./bond ./procfs ./ethtool ./examples/bondctl ./examples/srcprune}"
# The flavour with drivers of hardware, and the packages that want it too.
: "${KERNEL_HARDWARE=6.1-generic}"
: "${KERNEL_HARDWARE_PKGS:=./ethtool}"
# Of these, the packages whose tests measure time.
: "${KERNEL_ALONE:=./internal/lab ./arpmon}"
# And those that other packages use in every kernel: the first and the last will do.
: "${KERNEL_ENDS:=./internal/lab}"
: "${BONDKIT_BIN:=${XDG_CACHE_HOME:-$HOME/.cache}/bondkit/bin}"
: "${KERNEL_TIMEOUT:=15m}"

summary=()
failed=0

# note RESULT SECONDS NAME keeps the result of a check for the summary.
note() {
	[ "$1" = ok ] || failed=$((failed + 1))
	summary+=("$(printf '%-4s %5ds  %s' "$@")")
}

# step NAME COMMAND... runs a check, and notes its name, time and result.
step() {
	local name=$1 start=$SECONDS result=ok
	shift
	printf '\n=== %s\n' "$name"
	"$@" || result=FAIL
	note "$result" "$((SECONDS - start))" "$name"
}

check_gofmt() {
	local files
	files=$("$("$GO" env GOROOT)/bin/gofmt" -l .) || return 1
	[ -z "$files" ] && return
	printf 'gofmt differs:\n%s\n' "$files"
	return 1
}

# allocation_guards runs what skips under the race detector.
allocation_guards() {
	local guard=github.com/bondkit/bondkit/internal/alloctest pkgs
	pkgs=$("$GO" list -f "{{range .XTestImports}}{{if eq . \"$guard\"}}{{\$.ImportPath}}{{end}}{{end}}" ./...) || return 1
	[ -n "$pkgs" ] || return 1
	# shellcheck disable=SC2086
	"$GO" test -count=1 -run Alloc $pkgs "$guard"
}

# nested prints the directories below that are modules of their own.
nested() {
	find . -mindepth 2 -name go.mod -not -path '*/testdata/*' -exec dirname {} \; | sort
}

nested_module() {
	(cd "$1" && "$GO" mod tidy -diff && "$GO" vet ./... && "$GO" test ./...)
}

cross() {
	GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0 "$GO" vet ./... &&
		GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0 "$GO" test -c -o /dev/null ./...
}

host_tests() {
	step "gofmt" check_gofmt
	step "go mod tidy" "$GO" mod tidy -diff
	step "go vet" "$GO" vet ./...
	step "go test -race" "$GO" test -race -shuffle=on ./...
	step "allocation guards" allocation_guards
	step "benchmarks run" "$GO" test -run '^$' -bench . -benchtime 1x ./...
	local dir
	while read -r dir; do
		step "module $dir" nested_module "$dir"
	done < <(nested)
	cross_builds
}

cross_builds() {
	local target
	for target in darwin/arm64 windows/amd64 linux/arm64; do
		step "build for $target" cross "$target"
	done
}

# fuzz_targets runs every fuzz target of the module for a while.
fuzz_targets() {
	local pkg target
	while read -r pkg target; do
		step "fuzz $pkg $target" "$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" "$pkg"
	done < <("$GO" list ./... | while read -r pkg; do
		"$GO" test -list '^Fuzz' "$pkg" | sed -n "s#^Fuzz#$pkg &#p"
	done)
}

# fetch_kernels is a step of its own, so that a mirror that is away fails no more
# than what needs it.
fetch_kernels() {
	# shellcheck disable=SC2086
	step "kernels" "$BONDKIT_BIN/vmtest" -fetch "$(echo $KERNELS $KERNEL_HARDWARE | tr ' ' ',')"
}

# kernel_test runs the tests of a package in a kernel.
#
# -short: the simulations look at no kernel, and have run at length on the host.
kernel_test() {
	local qemu=
	# Its devices need a newer emulator than some machines have; without one, the
	# tests of what is missing are skipped.
	if [ "$1" = "$KERNEL_HARDWARE" ]; then
		qemu=$(scripts/qemu.sh) || qemu=
	fi
	env CGO_ENABLED=0 "$GO" test -short -count=1 -timeout "$KERNEL_TIMEOUT" \
		-exec "$BONDKIT_BIN/vmtest -kernel $1${qemu:+ -qemu $qemu}" "$2"
}

# ends prints the first and the last of its arguments.
ends() {
	echo "$1"
	[ $# -lt 2 ] || echo "${!#}"
}

# kernels_of prints the kernels that a package is tested in.
kernels_of() {
	case " $KERNEL_ENDS " in
	# shellcheck disable=SC2086
	*" $1 "*) ends $KERNELS ;;
	*) echo "$KERNELS" ;;
	esac
	case " $KERNEL_HARDWARE_PKGS " in
	*" $1 "*) echo "$KERNEL_HARDWARE" ;;
	esac
}

# kernel_tests runs the matrix. Packages that measure time have the machine to
# themselves; of the others, as many run at once as there are processors.
kernel_tests() {
	local kernel pkg i jobs=0 max logs status time queue=()
	for pkg in $KERNEL_PKGS; do
		if ! "$GO" list "$pkg" >/dev/null 2>&1; then
			note FAIL 0 "$pkg: no such package"
			continue
		fi
		for kernel in $(kernels_of "$pkg"); do
			case " $KERNEL_ALONE " in
			*" $pkg "*) step "kernel $kernel, $pkg" kernel_test "$kernel" "$pkg" ;;
			*) queue+=("$kernel $pkg") ;;
			esac
		done
	done

	max=$(nproc 2>/dev/null || echo 1)
	logs=$(mktemp -d) || exit 1
	for i in "${!queue[@]}"; do
		[ "$jobs" -lt "$max" ] || {
			wait -n
			jobs=$((jobs - 1))
		}
		read -r kernel pkg <<<"${queue[i]}"
		beside "$i" "kernel $kernel, $pkg" kernel_test "$kernel" "$pkg" &
		jobs=$((jobs + 1))
	done
	wait
	for i in "${!queue[@]}"; do
		read -r kernel pkg <<<"${queue[i]}"
		status=FAIL time=0 # of one that was killed
		[ ! -f "$logs/$i.status" ] || read -r status time <"$logs/$i.status"
		note "$status" "$time" "kernel $kernel, $pkg"
	done
	rm -rf "$logs"
}

# beside N NAME COMMAND... is step for a check that runs beside others: it prints
# the output as a whole, and leaves its result and time in a file.
beside() {
	local n=$1 name=$2 start=$SECONDS result=ok
	shift 2
	"$@" >"$logs/$n" 2>&1 || result=FAIL
	echo "$result $((SECONDS - start))" >"$logs/$n.status"
	{
		flock 9
		printf '\n=== %s\n' "$name"
		cat "$logs/$n"
	} 9>>"$logs/lock"
}

case ${1-} in
host) host_tests ;;
kernel)
	fetch_kernels
	kernel_tests
	;;
cross) cross_builds ;;
fuzz) fuzz_targets ;;
all)
	fetch_kernels # before the host tests, among which are those of vmtest
	host_tests
	kernel_tests
	;;
*)
	echo "usage: $0 host|kernel|all|cross|fuzz" >&2
	exit 2
	;;
esac

printf '\n=== summary, %d s\n' "$SECONDS"
printf '%s\n' "${summary[@]}"
if [ "$failed" -gt 0 ]; then
	printf 'FAIL: %d of %d\n' "$failed" "${#summary[@]}"
	exit 1
fi
printf 'PASS: all %d\n' "${#summary[@]}"
