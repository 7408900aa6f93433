// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package rtnl_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/bondkit/bondkit/internal/rtnl"
)

// openNetNS opens a namespace for sockets.
func openNetNS(t *testing.T, fd int, path string) *rtnl.NetNS {
	t.Helper()
	ns, err := rtnl.OpenNetNS(fd, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	return ns
}

// threadNetNS is the namespace of the calling thread.
func threadNetNS(t *testing.T) string {
	t.Helper()
	s, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNetNS(t *testing.T) {
	n := newNetNS(t)
	want, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", n.fd()))
	if err != nil {
		t.Fatal(err)
	}
	own := threadNetNS(t)
	for name, ns := range map[string]*rtnl.NetNS{
		"descriptor": openNetNS(t, n.fd(), ""),
		"path":       openNetNS(t, 0, fmt.Sprintf("/proc/self/fd/%d", n.fd())),
	} {
		var got string
		if err := ns.Do(func() error { got = threadNetNS(t); return os.ErrInvalid }); !errors.Is(err, os.ErrInvalid) {
			t.Errorf("%s: Do returned %v, not the error of what it called", name, err)
		}
		if got != want {
			t.Errorf("%s: called in %s, want %s", name, got, want)
		}
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
		if err := ns.Do(func() error { t.Error("called"); return nil }); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: Do after Close returned %v", name, err)
		}
	}
	// No thread is left in another namespace.
	for range 50 {
		runtime.Gosched()
		if got := threadNetNS(t); got != own {
			t.Fatalf("a thread is left in %s", got)
		}
	}
	// The caller's descriptor is not used after it was opened, and one's own namespace needs no
	// way back.
	if err := openNetNS(t, 0, "").Do(func() error {
		if got := threadNetNS(t); got != own {
			t.Errorf("called in %s, want %s", got, own)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func TestNetNSErrors(t *testing.T) {
	if _, err := rtnl.OpenNetNS(0, "/proc/no-such-file"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	_, err := rtnl.OpenNetNS(1<<20, "")
	if e, ok := errors.AsType[*rtnl.NetNSError](err); !ok || !errors.Is(err, syscall.EBADF) || e.Hint == "" || !strings.Contains(err.Error(), "1048576") {
		t.Errorf("no descriptor: %v", err)
	}
	ns := openNetNS(t, 0, "/dev/null")
	err = ns.Do(func() error { t.Error("called"); return nil })
	if e, ok := errors.AsType[*rtnl.NetNSError](err); !ok || !errors.Is(err, syscall.EINVAL) || !strings.Contains(e.Hint, "not a network namespace") {
		t.Errorf("no namespace: %v", err)
	}
	if _, err := rtnl.OpenSocket(ns, unix.NETLINK_ROUTE); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a socket in no namespace: %v", err)
	}

	// One's own namespace needs no privilege.
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		own, err := rtnl.OpenNetNS(0, "")
		if err != nil {
			t.Error(err)
			return
		}
		defer own.Close()
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			t.Error(err)
			return
		}
		if err := own.Do(func() error { return nil }); err != nil {
			t.Errorf("one's own namespace: %v", err)
		}
		s, err := rtnl.OpenSocket(own, unix.NETLINK_ROUTE)
		if err != nil {
			t.Errorf("a socket in one's own namespace: %v", err)
			return
		}
		s.Close()
	}()
	<-done
}

// asNobody is set in the process that TestNetNSRefused starts.
const asNobody = "BONDKIT_RTNL_AS_NOBODY"

// TestNetNSRefused starts itself as a user who may not enter a namespace that it gets
// as descriptor 3.
func TestNetNSRefused(t *testing.T) {
	if os.Getenv(asNobody) != "" {
		called := false
		err := openNetNS(t, 3, "").Do(func() error { called = true; return nil })
		e, ok := errors.AsType[*rtnl.NetNSError](err)
		if !ok || !errors.Is(err, os.ErrPermission) || !strings.Contains(e.Hint, "CAP_SYS_ADMIN") || called {
			t.Errorf("%v, called: %v", err, called)
		}
		return
	}
	n := newNetNS(t)
	if os.Getuid() != 0 || os.Getenv(inUserNS) != "" {
		skipUnlessRequired(t, "no privilege to become another user")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestNetNSRefused$", "-test.v")
	cmd.Env = append(os.Environ(), asNobody+"=1", inUserNS+"=1")
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{n.file}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestNetNSRefused") {
		t.Errorf("%v: %s", err, out)
	}
}

// socket opens a socket of rtnetlink in the namespace.
func (n *netns) socket() *rtnl.Socket {
	n.t.Helper()
	s, err := rtnl.OpenSocket(openNetNS(n.t, n.fd(), ""), unix.NETLINK_ROUTE)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { s.Close() })
	return s
}

func TestSocketRequest(t *testing.T) {
	n := newNetNS(t)
	n.ip("link add va type veth peer name vb")
	s := n.socket()
	names := func(msgs []rtnl.Message) []string {
		var all []string
		for _, m := range msgs {
			l, ok, err := rtnl.ParseLink(m.Data)
			if m.Type != unix.RTM_NEWLINK || !ok || err != nil {
				t.Errorf("message %d: %v, %v", m.Type, ok, err)
			}
			all = append(all, l.Name)
		}
		slices.Sort(all)
		return all
	}
	for range 3 {
		msgs, err := s.Request(unix.RTM_GETLINK, unix.NLM_F_DUMP, make([]byte, 16))
		if diff := cmp.Diff([]string{"lo", "va", "vb"}, names(msgs)); diff != "" || err != nil {
			t.Errorf("%v, names (-want +got):\n%s", err, diff)
		}
		msgs, err = s.Request(unix.RTM_GETLINK, 0, slices.Concat(make([]byte, 16), attr(3, []byte("vb\x00"))))
		if diff := cmp.Diff([]string{"vb"}, names(msgs)); diff != "" || err != nil {
			t.Errorf("%v, names (-want +got):\n%s", err, diff)
		}
		// A change has no answer but the acknowledgement.
		body := slices.Concat(make([]byte, 4), u32(uint32(n.index("va"))), make([]byte, 8), attr(4, u32(1400)))
		if msgs, err := s.Request(unix.RTM_SETLINK, 0, body); err != nil || len(msgs) != 0 {
			t.Errorf("%d messages, %v", len(msgs), err)
		}
		// A refusal has a number and a text, and the socket goes on.
		_, err = s.Request(unix.RTM_SETLINK, 0, slices.Concat(make([]byte, 4), u32(uint32(n.index("va"))), make([]byte, 8), attr(4, u32(1<<30))))
		r, ok := errors.AsType[*rtnl.Refusal](err)
		if !ok || r.Errno != syscall.EINVAL || !strings.Contains(r.Message, "mtu") || !errors.Is(err, syscall.EINVAL) || !strings.HasSuffix(err.Error(), r.Message) {
			t.Errorf("%#v", err)
		}
	}
}

// index returns the index of a link.
func (n *netns) index(name string) int {
	n.t.Helper()
	return n.link(n.dial(), name).Index
}

// TestSocketAbort ends waits, and Resume has them wait again.
func TestSocketAbort(t *testing.T) {
	n := newNetNS(t)
	s := n.socket()
	if err := s.Join(unix.RTNLGRP_LINK, 1<<20); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := s.Receive()
		ended <- err
	}()
	s.Abort()
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Receive: %v", err)
	}
	if _, err := s.Request(unix.RTM_GETLINK, unix.NLM_F_DUMP, make([]byte, 16)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Request: %v", err)
	}
	s.Resume()
	// What is left of the request above is not taken for the answer to this one.
	body := slices.Concat(make([]byte, 16), attr(3, []byte("lo\x00")))
	if msgs, err := s.Request(unix.RTM_GETLINK, 0, body); err != nil || len(msgs) != 1 {
		t.Errorf("%d messages, %v", len(msgs), err)
	}
	n.ip("link set lo up")
	for up := false; !up; {
		msgs, err := s.Receive()
		if err != nil {
			t.Fatal(err)
		}
		up = slices.ContainsFunc(msgs, func(m rtnl.Message) bool {
			l, _, err := rtnl.ParseLink(m.Data)
			return err == nil && l.Name == "lo" && l.Up()
		})
	}
	if err := s.Drain(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Receive(); err == nil {
		t.Error("a closed socket receives")
	}
}

// refused is an errno as the kernel sends it.
func refused(errno syscall.Errno) []byte { return u32(-uint32(errno)) }

// datagram builds one message of a datagram.
func datagram(typ, flags uint16, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	b := slices.Concat(u32(uint32(16+len(body))), u16(typ), u16(flags), make([]byte, 8), body)
	return append(b, make([]byte, -len(b)&3)...)
}

const (
	nlError, nlDone, nlNewLink = 2, 3, 16
	nlCapped, nlTLVs           = 0x100, 0x200
)

func TestRefusal(t *testing.T) {
	request := datagram(nlNewLink, 0, make([]byte, 21))
	text, offset := attr(1, []byte("bond is up\x00")), attr(2, u32(52))
	busy := refused(syscall.EBUSY)
	bare := &rtnl.Refusal{Errno: syscall.EBUSY}
	whole := &rtnl.Refusal{Errno: syscall.EBUSY, Message: "bond is up", Offset: 52}
	for _, tt := range []struct {
		name string
		b    []byte
		want *rtnl.Refusal
	}{
		{"acknowledgement", datagram(nlError, nlCapped, u32(0), request[:16]), nil},
		{"end of a dump", datagram(nlDone, 0, u32(0)), nil},
		{"end of a dump, empty", datagram(nlDone, 0), nil},
		{"end of a dump, count", datagram(nlDone, 0, u32(5)), nil},
		{"number", datagram(nlError, 0, busy, request), bare},
		{"number, capped", datagram(nlError, nlCapped, busy, request[:16]), bare},
		{"text and offset", datagram(nlError, nlTLVs, busy, request, text, offset), whole},
		{"text and offset, capped", datagram(nlError, nlTLVs|nlCapped, busy, request[:16], offset, text), whole},
		{"unknown attribute", datagram(nlError, nlTLVs|nlCapped, busy, request[:16], attr(3, []byte{1}), text, offset), whole},
		{"failed dump", datagram(nlDone, nlTLVs, busy, text, offset), whole},
		{"attributes without the flag", datagram(nlError, 0, busy, request, text), bare},
		{"no request", datagram(nlError, nlTLVs, busy), bare},
		{"request cut off", datagram(nlError, nlTLVs, busy, request[:20]), bare},
		{"attribute cut off", datagram(nlError, nlTLVs|nlCapped, busy, request[:16], offset, text[:9]), &rtnl.Refusal{Errno: syscall.EBUSY, Offset: 52}},
		{"attribute of length 0", datagram(nlError, nlTLVs|nlCapped, busy, request[:16], make([]byte, 8), text), bare},
		{"short offset", datagram(nlError, nlTLVs|nlCapped, busy, request[:16], attr(2, []byte{1, 2}), text), &rtnl.Refusal{Errno: syscall.EBUSY, Message: "bond is up"}},
		{"text without end", datagram(nlError, nlTLVs|nlCapped, busy, request[:16], attr(1, []byte("bond"))), &rtnl.Refusal{Errno: syscall.EBUSY, Message: "bond"}},
		{"least number", datagram(nlError, 0, u32(1<<31), request), &rtnl.Refusal{Errno: 1 << 31}},
	} {
		ends, err := rtnl.Ends(tt.b)
		if err != nil || len(ends) != 1 {
			t.Errorf("%s: %v, %v", tt.name, ends, err)
			continue
		}
		got, _ := errors.AsType[*rtnl.Refusal](ends[0])
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: the refusal differs (-want +got):\n%s", tt.name, diff)
		}
	}
	if ends, err := rtnl.Ends(datagram(nlError, 0, []byte{1})); err != nil || len(ends) != 1 || !errors.Is(ends[0], rtnl.ErrMalformed) {
		t.Errorf("a short error: %v, %v", ends, err)
	}
}

func TestParseMessages(t *testing.T) {
	one, two := datagram(nlNewLink, 7, []byte("abcde")), datagram(nlNewLink+1, 0, []byte("fghi"))
	b := slices.Concat(one, datagram(nlDone, 0), two)
	msgs, err := rtnl.ParseMessages(b)
	want := []rtnl.Message{{Type: nlNewLink, Flags: 7, Data: []byte("abcde")}, {Type: nlNewLink + 1, Data: []byte("fghi")}}
	if diff := cmp.Diff(want, msgs); diff != "" || err != nil {
		t.Errorf("%v, messages (-want +got):\n%s", err, diff)
	}
	for n := range b {
		if _, err := rtnl.ParseMessages(b[:n]); err != nil && !errors.Is(err, rtnl.ErrMalformed) {
			t.Errorf("%d bytes: %v, want ErrMalformed", n, err)
		} else if err == nil && (n < 16 && n > 0 || n > 24 && n < 40) {
			t.Errorf("%d bytes: no error", n)
		}
	}
	for _, length := range []uint32{0, 15, 1 << 31, 1<<32 - 1} {
		if _, err := rtnl.ParseMessages(slices.Concat(u32(length), one[4:])); !errors.Is(err, rtnl.ErrMalformed) {
			t.Errorf("length %d: %v, want ErrMalformed", length, err)
		}
	}
}

// FuzzDatagram reads any datagram as messages and as ends of requests.
func FuzzDatagram(f *testing.F) {
	f.Add(datagram(nlError, nlTLVs|nlCapped, refused(syscall.EPERM), make([]byte, 16), attr(1, []byte("x"))))
	f.Add(append(datagram(nlNewLink, 0, []byte("abc")), datagram(nlDone, nlTLVs, refused(syscall.EIO))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		msgs, err := rtnl.ParseMessages(b)
		ends, endsErr := rtnl.Ends(b)
		if (err == nil) != (endsErr == nil) {
			t.Fatalf("messages: %v, ends: %v", err, endsErr)
		}
		if err != nil {
			if !errors.Is(err, rtnl.ErrMalformed) || msgs != nil {
				t.Fatalf("error %v, messages %v", err, msgs)
			}
			return
		}
		n := 0
		for _, m := range msgs {
			n += 16 + len(m.Data)
		}
		if n+16*len(ends) > len(b) {
			t.Fatalf("%d bytes of messages and %d ends in %d bytes", n, len(ends), len(b))
		}
	})
}
