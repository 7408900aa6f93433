// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package peerbench_test

import (
	"errors"
	"net"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// inVeth runs f on a thread of its own in a network namespace with the veth pair
// v0 and v1.
func inVeth(b *testing.B, f func(v0, v1 *net.Interface)) {
	b.Helper()
	done := make(chan string)
	go func() {
		// The thread stays locked, so that it ends with the goroutine.
		runtime.LockOSThread()
		done <- func() string {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return "no network namespace: " + err.Error()
			}
			for _, args := range [][]string{
				{"link", "add", "v0", "type", "veth", "peer", "name", "v1"},
				{"link", "set", "v0", "up", "arp", "off"},
				{"link", "set", "v1", "up", "arp", "off"},
			} {
				if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
					return "ip " + args[0] + ": " + err.Error() + ": " + string(out)
				}
			}
			v0, err := net.InterfaceByName("v0")
			if err != nil {
				return err.Error()
			}
			v1, err := net.InterfaceByName("v1")
			if err != nil {
				return err.Error()
			}
			for _, v := range []*net.Interface{v0, v1} {
				if err := carrier(v); err != nil {
					return err.Error()
				}
			}
			f(v0, v1)
			return ""
		}()
	}()
	if why := <-done; why != "" {
		b.Skip(why)
	}
}

func socket(b *testing.B, ifindex int) int {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: 0x0608, Ifindex: ifindex}); err != nil { // ARP in network byte order
		b.Fatal(err)
	}
	// Nothing is lost on a veth with carrier; if it is, that is an error and no
	// wait for ever.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		b.Fatal(err)
	}
	return fd
}

// carrier waits until frames pass.
func carrier(v *net.Interface) error {
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		now, err := net.InterfaceByIndex(v.Index)
		if err != nil {
			return err
		}
		if now.Flags&net.FlagRunning != 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("no carrier on " + v.Name)
		}
	}
}

// BenchmarkSendReceive sends one ARP frame of 60 bytes into a veth and receives
// it at the other end. bondkit's own figure is BenchmarkSendReceive in package
// arpmon.
func BenchmarkSendReceive(b *testing.B) {
	b.Run("x-sys-Sendto-Recvfrom", func(b *testing.B) {
		inVeth(b, func(v0, v1 *net.Interface) {
			tx, rx := socket(b, v0.Index), socket(b, v1.Index)
			to := &unix.SockaddrLinklayer{Protocol: 0x0608, Ifindex: v0.Index, Halen: 6}
			buf := make([]byte, 128)
			b.ReportAllocs()
			for b.Loop() {
				if err := unix.Sendto(tx, reply[:], 0, to); err != nil {
					b.Error(err)
					return
				}
				if n, _, err := unix.Recvfrom(rx, buf, 0); err != nil || n != len(reply) {
					b.Error(n, err)
					return
				}
			}
		})
	})
	b.Run("mdlayher-packet", func(b *testing.B) {
		inVeth(b, func(v0, v1 *net.Interface) {
			tx, err := packet.Listen(v0, packet.Raw, int(syscall.ETH_P_ARP), nil)
			if err != nil {
				b.Error(err)
				return
			}
			defer tx.Close()
			rx, err := packet.Listen(v1, packet.Raw, int(syscall.ETH_P_ARP), nil)
			if err != nil {
				b.Error(err)
				return
			}
			defer rx.Close()
			if err := rx.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				b.Error(err)
				return
			}
			to := &packet.Addr{HardwareAddr: net.HardwareAddr(reply[:6])}
			buf := make([]byte, 128)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tx.WriteTo(reply[:], to); err != nil {
					b.Error(err)
					return
				}
				if n, _, err := rx.ReadFrom(buf); err != nil || n != len(reply) {
					b.Error(n, err)
					return
				}
			}
		})
	})
}
