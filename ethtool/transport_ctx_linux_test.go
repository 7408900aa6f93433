// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/ethtool"
)

// TestTransportContextEndsMeanwhile ends contexts at random moments. What is left of
// one request must not be taken for the answer to another, whichever way it goes.
func TestTransportContextEndsMeanwhile(t *testing.T) {
	n := newCoreNet(t)
	n.run("ip link add va type veth peer name vb")
	c, tr := n.dial(), n.transport()
	before := coreResources(t)
	names := map[int]string{n.index("va"): "va", n.index("vb"): "vb"}
	indexes := slices.Collect(maps.Keys(names))
	// Some requests shall end early and others not, however slow the machine is.
	began := time.Now()
	for range 20 {
		if _, err := c.Flags(t.Context(), ethtool.Link{Index: indexes[0]}); !errors.Is(err, ethtool.ErrNoPrivateFlags) {
			t.Fatal(err)
		}
	}
	span := time.Since(began) / 10
	ended := 0
	for i := range 600 {
		index := indexes[i%2]
		ctx, cancel := context.WithTimeout(t.Context(), span*time.Duration(i*7%200)/100)
		body := make([]byte, 16)
		binary.NativeEndian.PutUint32(body[4:], uint32(index))
		replies, err := tr.Route(ctx, ethtool.RouteRequest{Type: unix.RTM_GETLINK, Data: body})
		if err == nil && (len(replies) != 1 || !bytes.Contains(replies[0], coreText(names[index]))) {
			t.Fatalf("asked for %s and got %q", names[index], replies)
		}
		if err != nil {
			ended++
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		}
		info := make([]byte, 196)
		binary.NativeEndian.PutUint32(info, 3)
		if err := tr.Ioctl(ctx, names[index], info); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		} else if err != nil && info[4] != 0 {
			t.Fatal("memory was written to although the call had ended")
		}
		if _, err := c.Flags(ctx, ethtool.Link{Index: index}); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ethtool.ErrNoPrivateFlags) {
			t.Fatal(err)
		}
		if i%10 == 0 {
			if _, err := c.LinkInfo(ctx, ethtool.Link{Index: index}); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errors.ErrUnsupported) && err != nil {
				t.Fatal(err)
			}
		}
		cancel()
	}
	t.Logf("%d of 600 ended early", ended)
	if ended == 600 {
		t.Error("all ended early")
	}
	if err := errors.Join(c.Close(), tr.Close()); err != nil {
		t.Fatal(err)
	}
	before.files -= 2 * 2 // of each Transport: the namespace and the socket of rtnetlink
	before.wait()
}

// coreResource counts what a test may leave behind.
type coreResource struct {
	t          testing.TB
	goroutines int
	files      int
}

func coreResources(t testing.TB) *coreResource {
	t.Helper()
	// The collector closes forgotten files: it shall not hide that they were.
	runtime.GC()
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
	return &coreResource{t, runtime.NumGoroutine(), len(coreFiles(t))}
}

func coreFiles(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if s, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			names = append(names, s)
		}
	}
	return names
}

// wait waits until there is no more than before.
func (r *coreResource) wait() {
	r.t.Helper()
	deadline := time.After(corePatience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		goroutines, files := runtime.NumGoroutine(), coreFiles(r.t)
		if goroutines <= r.goroutines && len(files) <= r.files {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			stacks := make([]byte, 1<<16)
			r.t.Fatalf("%d goroutines, %d before; %d files, %d before: %q\n%s", goroutines, r.goroutines, len(files), r.files, files,
				stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestTransportClosed ends what is under way, and leaves nothing open.
func TestTransportClosed(t *testing.T) {
	n := newCoreNet(t)
	before := coreResources(t)
	for range 20 {
		tr, err := ethtool.NewKernelTransport(&ethtool.Config{NetNS: int(n.file.Fd())})
		if err != nil {
			t.Fatal(err)
		}
		var busy sync.WaitGroup
		for i := range 8 {
			busy.Go(func() {
				for {
					ctx := t.Context()
					if i%2 == 0 {
						ctx = context.Background()
					}
					var err error
					switch i / 2 {
					case 0:
						_, err = tr.Route(ctx, ethtool.RouteRequest{Type: unix.RTM_GETLINK, Flags: unix.NLM_F_DUMP, Data: make([]byte, 16)})
					case 1:
						_, err = tr.Generic(ctx, ethtool.Request{Family: ethtool.FamilyEthtool, Command: 13, Dump: true, Attrs: coreAttr(0x8001)})
					case 2:
						err = tr.Ioctl(ctx, "lo", make([]byte, 196))
					case 3:
						_, err = tr.LinkInfo(ctx, ethtool.Link{Name: "lo"})
					}
					if errors.Is(err, syscall.EOPNOTSUPP) {
						continue // what the interface has to say, old kernels about a dump too
					}
					if err != nil {
						if !errors.Is(err, os.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		runtime.Gosched()
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		busy.Wait()
		if err := tr.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("closing again: %v", err)
		}
		if _, err := tr.Subscribe(t.Context(), ethtool.FamilyRoute, ethtool.GroupLink); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Subscribe when closed: %v", err)
		}
		if _, err := tr.Subscribe(t.Context(), ethtool.FamilyEthtool, ethtool.GroupMonitor); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Subscribe when closed: %v", err)
		}
	}
	before.wait()
}

func TestTransportConcurrently(t *testing.T) {
	n := newCoreNet(t)
	n.run("ip link add va type veth peer name vb")
	tr := n.transport()
	var all sync.WaitGroup
	for i := range 16 {
		name := "v" + string(rune('a'+i%2))
		all.Go(func() {
			for range 20 {
				body := append(make([]byte, 16), coreAttr(unix.IFLA_IFNAME, coreText(name))...)
				replies, err := tr.Route(t.Context(), ethtool.RouteRequest{Type: unix.RTM_GETLINK, Data: body})
				if err != nil || len(replies) != 1 || !bytes.Contains(replies[0], coreText(name)) {
					t.Errorf("asked for %s and got %q, %v", name, replies, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestTransportHungKernel has a system call of another process hold the lock of all
// interfaces: it writes to memory whose page never comes.
func TestTransportHungKernel(t *testing.T) {
	n := newCoreNet(t)
	n.run("ip link add va type veth peer name vb")
	c := n.dial()
	if _, err := c.Flags(t.Context(), ethtool.Link{Name: "va"}); !errors.Is(err, ethtool.ErrNoPrivateFlags) {
		t.Fatal(err)
	}
	before := coreResources(t)
	release := coreHoldRTNL(t, n)
	began := time.Now()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := c.SetFlag(ctx, ethtool.Link{Name: "va"}, "x", true)
		cancel()
		coreWant(t, err, "set flag", context.DeadlineExceeded)
	}
	if took := time.Since(began); took > corePatience/2 {
		t.Errorf("three requests of 200 ms took %v", took)
	}
	release()
	// The same socket answers again, and what hung is gone.
	if _, err := c.Flags(t.Context(), ethtool.Link{Name: "va"}); !errors.Is(err, ethtool.ErrNoPrivateFlags) {
		t.Error(err)
	}
	before.wait()
}
