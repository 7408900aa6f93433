// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

// Vmtest runs a Go test binary, or any other program of this machine, under a
// real Debian kernel in a virtual machine.
//
//	go build -o /tmp/vmtest ./internal/vmtest
//	go test -exec '/tmp/vmtest -kernel 6.12' ./arpmon
//	/tmp/vmtest -kernel 5.10 -- sh -c 'ip link add bond0 type bond; ip -d link show bond0'
//
// The machine is emulated by QEMU in software (TCG), so it works wherever QEMU
// does, also inside another virtual machine. KVM is used with -kvm only: a
// /dev/kvm that is there and opens may still hang every guest. A guest takes
// about four seconds to boot on an idle machine.
//
// # Kernels
//
//	5.10         bullseye, cloud flavour
//	6.1          bookworm, cloud flavour
//	6.12         trixie or bookworm-backports, cloud flavour
//	newest       sid, cloud flavour
//	6.1-generic  bookworm, the kernel for ordinary machines: it has the
//	             drivers e1000e and igb, CAN and slcan
//
// A kernel is fetched when it is first needed:
//
//	vmtest -list                     names, exact versions, cached or not
//	vmtest -fetch 5.10,6.1           fetch what is not in the cache, print exact versions
//	vmtest -fetch newest -update     look for a newer version of a cached kernel
//
// Fetching needs apt, dpkg, xz and the package debian-archive-keyring, but no
// privilege: apt runs with a configuration and state of its own, and takes
// from the system's only how to reach the network. The address of the archive
// comes from the Debian entries of the machine's own .list and .sources files;
// entries of others are ignored, and so are options other than the address. If
// the machine names only a part of the archive, what mirrors have beside that
// is tried: debian-security beside debian, and debian-archive for suites that
// have been moved away. On a machine without Debian entries give the address
// with -mirror URI or in BONDKIT_MIRROR. Every download is checked against the
// keys of the archive. Only the age of a release file is not: archived suites
// are not signed again, and snapshots are old by design.
//
// Packages are found through the metapackage linux-image-cloud-amd64 (or
// linux-image-amd64). Up to 6.12 one package has everything; from 7.x on the
// image is in linux-binary-*, the modules are in linux-modules-*, and the list
// of built-in ones is in linux-base-*.
//
// The cache is $BONDKIT_CACHE, or bondkit in the user's cache directory. It
// holds the image and the modules of each kernel, the image unpacked, and the
// part of the guest's file system that runs have in common. Several runs may
// use it at once; a run with everything in the cache needs no network.
//
// With -vmlinuz FILE -modules DIR a kernel of the machine is used, for example
// /boot/vmlinuz-VERSION and /lib/modules/VERSION. No apt is needed then.
//
// # The guest
//
// The command runs as root in the directory where vmtest was started, which
// the go command makes that of the package. The guest has, at the paths they
// have on the host:
//
//   - the command with its shared libraries, or the interpreter of a script;
//   - everything below testdata in the working directory;
//   - each -file HOST[:GUEST], a file or directory, programs with libraries.
//
// Further: ip, nft, tc, bridge, ethtool, sh, the usual small programs the host
// has (cat, grep, sleep, timeout, unshare, setpriv, ...), proc, sysfs,
// devtmpfs, devpts, /tmp and /run in memory, the users root and nobody,
// /etc/machine-id, and lo up. There is no network to the outside, no disk, and
// nothing on standard input. Nothing of the guest survives, so a test may do
// with its network what it likes.
//
// These modules are loaded, as far as the kernel has them: bonding (with
// max_bonds=0, so there is no bond0), veth, dummy, nlmon, macvlan, tun, bridge,
// 8021q, team, nf_tables with what rules of the bridge and netdev families
// need, some queueing disciplines and classifiers, and on 6.1-generic slcan,
// e1000e and igb. More with -module NAME. They are loaded without their
// signature, because checking one costs an emulated processor 30 ms; the
// kernel is tainted by that and works the same.
//
// A guest that has the driver e1000e or igb has a device for it too, with carrier
// when it is switched on; igb only with QEMU 8 or newer.
//
// The environment is a fixed PATH and HOME, the variables BONDKIT_*, GO*, TERM,
// NO_COLOR and TZ of the host, BONDKIT_VM with the name of the kernel,
// BONDKIT_KERNEL=require, and each -env KEY=VALUE, which wins.
//
// Other flags: -mem and -smp (one processor is the default: on a host with two
// cores a second one made the same tests use 30 percent more processor time
// and no less of any other), -append for the kernel command line, -machine,
// -qemu, and -qemu-arg for devices:
//
//	vmtest -kernel 6.1-generic -qemu-arg '-device vmxnet3' -module vmxnet3 -- ethtool -i eth1
//
// # Output and exit status
//
// The first line, on standard error, names the exact kernel and emulator.
// Standard output and error of the command come out as they are, live and
// apart; if both go to the same file they also go to the same pipe in the
// guest, so their order is kept.
//
// The exit status is that of the command, 128 and the number for a signal, and
//
//	2    wrong flags, unknown kernel
//	124  the guest was ended at the timeout
//	125  the runner, the emulator or the guest's kernel failed
//	126  the command could not be executed in the guest
//	127  the command, or its interpreter, is not there in the guest
//
// There is always a timeout: -timeout, or -test.timeout of a test binary and
// 45 s for the boot, or 10 minutes; with both flags the shorter. When it is
// over, the command gets a SIGQUIT, at which a Go program prints its
// goroutines, and some seconds to do so; then the guest is ended and the end
// of the kernel console shown. The same is done when the runner gets a SIGQUIT,
// which the go command sends to a test that takes too long. A guest that ends
// without an exit status, as after a kernel panic or oops, is a failure, and
// the console is shown. The emulator never outlives the runner.
//
// What a test binary writes comes back to the host: the files of
// -test.coverprofile, -test.gocoverdir (and GOCOVERDIR), -test.cpuprofile and
// the other profiles, -test.trace, -test.artifacts, and what fuzzing puts into
// testdata/fuzz. Other files and directories with -out GUEST:HOST.
//
// # The skip rule
//
// A test that skips because there is no bonding driver or no privilege proves
// nothing, and here there is no excuse: the guest has both. So a run fails,
// with a list, if a test is skipped, except for one of these reasons. The
// message given to T.Skip has to begin with exactly
//
//	kernel X.Y older than Z.W
//
// where X.Y is the version of the running kernel and really older than Z.W,
// which the runner checks (X.Y may be a whole release, as uname -r says it),
//
//	kernel X.Y has no module NAME
//	emulator has no device NAME
//
// where the module is one that every guest loads, as far as its kernel has it, and the
// device one of those above, which the runner checks too, or
//
//	race:
//
// with a space and the reason behind it, for tests that cannot work under the
// race detector. Text after each is free:
//
//	t.Skipf("kernel %s older than 6.0: slcan has no private flags", release)
//	t.Skipf("kernel %s has no module slcan", release)
//	t.Skip("race: counts allocations")
//
// To see skips the runner has a test binary print verbose output even without
// -v, and turns that back into the short form. (Therefore testing.Verbose is
// true in the guest.) Benchmarks without -v and fuzzing are run as they are,
// and their skips are not seen. -allow-skip turns the rule off.
//
// # How it works
//
// The kernel boots with a file system made of two cpio archives one behind the
// other: the common part from the cache, and this program as /init with the
// command and its files. They are in a file without a name, so nothing is left
// behind even after kill -9. PID 1 loads the modules, runs the command and
// sends its output, the files and the status as checksummed frames over a
// second serial port; the first is the console of the kernel. The host unpacks
// the kernel image, because the emulated processor takes seconds to do so.
package main
