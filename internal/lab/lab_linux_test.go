// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bondkit/bondkit/internal/lab"
)

// threadNamespaces returns the network namespaces of all threads of this process,
// with the number of threads in each. Threads that have just ended are left out.
func threadNamespaces(t *testing.T) map[string]int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, link := range links {
		if ns, err := os.Readlink(link); err == nil {
			count[ns]++
		}
	}
	return count
}

// onlyOwn fails the test unless all threads are in the namespace they were in.
func onlyOwn(t *testing.T, own string) {
	t.Helper()
	eventually(t, "all threads are back", func() bool {
		count := threadNamespaces(t)
		return len(count) == 1 && count[own] > 0
	})
}

func ownNamespace(t *testing.T) string {
	t.Helper()
	ns, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestDo(t *testing.T) {
	own := ownNamespace(t)
	l := lab.Start(t, &lab.Config{Chatty: 1})
	failed := errors.New("failed")

	t.Run("runs inside", func(t *testing.T) {
		var inside string
		var devs []net.Interface
		err := l.Host().Do(func() (err error) {
			inside = ownNamespace(t)
			devs, err = net.Interfaces()
			return errors.Join(err, failed)
		})
		if !errors.Is(err, failed) {
			t.Errorf("error %v", err)
		}
		var names []string
		for _, d := range devs {
			names = append(names, d.Name)
		}
		if diff := cmp.Diff([]string{"lo", "e1", "e2"}, names); diff != "" {
			t.Error(diff)
		}
		if inside == own {
			t.Error("the function ran outside")
		}
		if link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", l.Host().FD())); link != inside {
			t.Errorf("the file descriptor is of %s, %v, and not of %s", link, err, inside)
		}
		onlyOwn(t, own)
	})
	t.Run("nested", func(t *testing.T) {
		var seen []string
		l.Host().Do(func() error {
			seen = append(seen, ownNamespace(t))
			l.Fabric().Do(func() error {
				seen = append(seen, ownNamespace(t))
				return nil
			})
			seen = append(seen, ownNamespace(t))
			return nil
		})
		if seen[0] == seen[1] || seen[0] != seen[2] {
			t.Errorf("host, fabric, host: %v", seen)
		}
		onlyOwn(t, own)
	})
	t.Run("goexit and panic", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				l.Host().Do(func() error {
					runtime.Goexit()
					return nil
				})
			})
			wg.Go(func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was lost")
					}
				}()
				l.Fabric().Do(func() error { panic("as asked") })
			})
		}
		wg.Wait()
		onlyOwn(t, own)
	})
	t.Run("many at once", func(t *testing.T) {
		var wg sync.WaitGroup
		want := make(map[string]string)
		for _, n := range l.Namespaces() {
			n.Do(func() error {
				want[n.Name()] = ownNamespace(t)
				return nil
			})
		}
		all := l.Namespaces()
		for i := range 200 {
			n := all[i%len(all)]
			wg.Go(func() {
				n.Do(func() error {
					if got := ownNamespace(t); got != want[n.Name()] {
						t.Errorf("%s: in %s, want %s", n.Name(), got, want[n.Name()])
					}
					// New threads that are made now must not be born here.
					runtime.Gosched()
					return nil
				})
				if got := ownNamespace(t); got != own {
					t.Errorf("after %s: in %s", n.Name(), got)
				}
			})
		}
		wg.Wait()
		onlyOwn(t, own)
	})
	t.Run("closed", func(t *testing.T) {
		l.Close()
		err := l.Host().Do(func() error {
			t.Error("the function ran")
			return nil
		})
		if !errors.Is(err, lab.ErrClosed) {
			t.Errorf("error %v", err)
		}
	})
}

func TestRun(t *testing.T) {
	var trace strings.Builder
	l := lab.Start(t, &lab.Config{Trace: &trace, Chatty: 1})
	out, err := l.Target("B").Run(t.Context(), "ip", "-br", "-4", "addr", "show", "dev", lab.HostDevice)
	if err != nil || !strings.Contains(string(out), "192.0.2.2/24") {
		t.Errorf("%q, %v", out, err)
	}
	if !strings.Contains(trace.String(), "[B] ip -br -4 addr show dev eth0\n") {
		t.Errorf("no trace of the command in %q", trace.String())
	}

	_, err = l.Host().Run(t.Context(), "ip", "link", "show", "dev", "nothing")
	c, ok := errors.AsType[*lab.CommandError](err)
	if !ok || c.Namespace != "host" || !strings.Contains(c.Stderr, "nothing") {
		t.Errorf("failing command: %v", err)
	}
	_, err = l.Host().Run(t.Context(), "no-such-command-anywhere")
	if _, ok := errors.AsType[*lab.CommandError](err); !ok || !errors.Is(err, os.ErrNotExist) && !strings.Contains(err.Error(), "not found") {
		t.Errorf("no command: %v", err)
	}
	if _, err := l.Host().Run(t.Context()); !errors.Is(err, lab.ErrConfig) {
		t.Errorf("no words: %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	lab.Require(t)
	for _, cfg := range []lab.Config{
		{Slaves: 1}, {Slaves: 4}, {Slaves: -1}, {Chatty: 10}, {Chatty: -1}, {Rig: 7},
	} {
		if l, err := lab.New(t.Context(), &cfg); !errors.Is(err, lab.ErrConfig) {
			t.Errorf("%+v: %v", cfg, err)
			if err == nil {
				l.Close()
			}
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	own := ownNamespace(t)
	lab.Require(t)
	before := openFiles(t)
	l, err := lab.New(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Chatter(t.Context(), lab.ChatARP)
	if err != nil {
		t.Fatal(err)
	}
	cut, err := l.CutUplink(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Host().Tap(""); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := l.StartTraffic(short, "A", 20); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("traffic over a cut uplink: %v", err)
	}
	undo(t, cut)
	if _, err := l.StartTraffic(t.Context(), "A", 20); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error("second Close:", err)
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d open files before, %d after", before, after)
	}
	if err := f.Undo(t.Context()); err != nil {
		t.Error("Undo after Close:", err)
	}
	if _, err := l.CutPort(t.Context(), 1); err == nil {
		t.Error("a fault in a closed lab")
	}
	if _, err := l.Host().Tap("e1"); !errors.Is(err, lab.ErrClosed) {
		t.Errorf("tap in a closed lab: %v", err)
	}
	onlyOwn(t, own)
}

// TestSilence proves that an idle lab sends nothing by itself, with a frame of
// its own as the proof that the taps would see it.
func TestSilence(t *testing.T) {
	for _, cfg := range []lab.Config{{}, {Rig: lab.RigVEPA, Chatty: 1}} {
		t.Run(cfg.Rig.String(), func(t *testing.T) {
			l := lab.Start(t, &cfg)
			var taps []*lab.Tap
			for _, n := range l.Namespaces() {
				taps = append(taps, tap(t, n, ""))
			}
			end := time.Now().Add(1200 * time.Millisecond)
			for i, n := range l.Namespaces() {
				if f, err := taps[i].Read(end); !os.IsTimeout(err) {
					t.Errorf("%s: %x, %v", n.Name(), f.Data, err)
				}
			}
			a := lab.NewARP(lab.OpRequest, lab.Broadcast, lab.MAC{0x06})
			a.TPA = unused
			if err := l.Target("A").Send(lab.HostDevice, a.AppendFrame(nil)); err != nil {
				t.Fatal(err)
			}
			for i, n := range l.Namespaces() {
				f, err := taps[i].Read(time.Now().Add(patience))
				if _, ok := f.ARP(); !ok || err != nil {
					t.Errorf("%s did not hear the control frame: %v", n.Name(), err)
				}
			}
		})
	}
}

func TestIPv6(t *testing.T) {
	if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
		t.Skip("the kernel has no IPv6")
	}
	l := lab.Start(t, &lab.Config{IPv6: true, Chatty: 1})
	var server *net.UDPConn
	if err := l.Host().Do(func() (err error) {
		server, err = net.ListenUDP("udp6", nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	to := net.UDPAddr{IP: l.Addr6(lab.HostName).AsSlice(), Port: server.LocalAddr().(*net.UDPAddr).Port}
	if err := l.Target("A").Do(func() error {
		c, err := net.DialUDP("udp6", nil, &to)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("hello"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	server.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 16)
	n, from, err := server.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "hello" || from.Addr() != l.Addr6("A") {
		t.Errorf("%q from %v, %v", buf[:n], from, err)
	}
	if a := new(lab.Lab).Addr6("A"); a.IsValid() {
		t.Errorf("a lab without IPv6 has %v", a)
	}
}
