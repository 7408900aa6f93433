// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Frame is one frame that a [Tap] saw.
type Frame struct {
	Data     []byte // from the Ethernet destination on, without 802.1Q tag
	VLAN     uint16 // VLAN ID of the tag it had, 0 for none
	Device   int    // interface index
	Outgoing bool   // sent by this host, not received
}

// ARP returns the frame as an ARP frame, with the VLAN ID of its tag.
func (f *Frame) ARP() (ARP, bool) {
	a, ok := ParseARP(f.Data)
	if ok && a.VLAN == 0 {
		a.VLAN = f.VLAN
	}
	return a, ok
}

// Tap opens a packet socket that sees every frame of a device of the namespace,
// of all devices when dev is empty. It misses nothing from its return on, as
// long as its buffer is read.
func (n *Namespace) Tap(dev string) (*Tap, error) {
	var t *Tap
	err := n.Do(func() error {
		index := 0
		if dev != "" {
			d, err := net.InterfaceByName(dev)
			if err != nil {
				return err
			}
			index = d.Index
		}
		conn, err := openTap(index)
		if err != nil {
			return err
		}
		t = &Tap{tapConn: conn, lab: n.lab}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lab: tap %s in %s: %w", dev, n.name, err)
	}
	if err := n.lab.track(t); err != nil {
		t.tapConn.Close()
		return nil, err
	}
	return t, nil
}

// Tap is a packet socket that only listens. It is closed with its lab.
type Tap struct {
	tapConn
	lab *Lab
}

// Close closes the socket. A blocked Read returns.
func (t *Tap) Close() error {
	t.lab.untrack(t)
	return t.tapConn.Close()
}

// sender is a packet socket that only sends, on one device.
type sender struct {
	senderConn
	mac MAC
}

// sender opens a sender on a device of the namespace.
func (n *Namespace) sender(dev string) (*sender, error) {
	s := new(sender)
	err := n.Do(func() error {
		d, err := net.InterfaceByName(dev)
		if err != nil {
			return err
		}
		s.mac = toMAC(d.HardwareAddr)
		s.senderConn, err = openSender(d.Index)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lab: sender on %s in %s: %w", dev, n.name, err)
	}
	return s, nil
}

// Send sends frames, whole from the Ethernet destination on, from a device of the
// namespace. The error is that of the first frame that could not be sent, for
// example syscall.ENOBUFS; those after it are not sent.
func (n *Namespace) Send(dev string, frames ...[]byte) error {
	s, err := n.sender(dev)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, frame := range frames {
		if err := s.Send(frame); err != nil {
			return fmt.Errorf("lab: send on %s in %s: %w", dev, n.name, err)
		}
	}
	return nil
}

// announce sends one gratuitous ARP for the address of the host from a device.
func (l *Lab) announce(dev string) error {
	a := NewARP(OpRequest, Broadcast, toMAC(l.BondMAC()))
	a.SPA, a.TPA = l.Addr(HostName), l.Addr(HostName)
	return l.host.Send(dev, a.AppendFrame(nil))
}

// source is one sender together with the function that builds its frames.
type source struct {
	*sender
	// next appends frame number i to b. An empty result sends nothing.
	next func(b []byte, i int) []byte
}

// generator sends frames from several sources in turn, at a fixed rate each,
// until it is stopped.
type generator struct {
	sources []source
	sent    atomic.Uint64
	stop    chan struct{}
	once    sync.Once
	done    sync.WaitGroup
}

// startGenerator starts to send perSecond frames from every source. The first
// round is on the wire when it returns.
func startGenerator(sources []source, perSecond int) *generator {
	g := &generator{sources: sources, stop: make(chan struct{})}
	g.round(0)
	g.done.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(perSecond))
		defer tick.Stop()
		for i := 1; ; i++ {
			select {
			case <-g.stop:
				return
			case <-tick.C:
				g.round(i)
			}
		}
	})
	return g
}

// round sends one frame from every source. A frame that cannot be sent, because
// the device is down for example, is not counted and not repeated.
func (g *generator) round(i int) {
	var buf [128]byte
	for _, s := range g.sources {
		frame := s.next(buf[:0], i)
		if len(frame) > 0 && s.Send(frame) == nil {
			g.sent.Add(1)
		}
	}
}

// Close stops the generator, waits for its goroutine and closes its sockets.
func (g *generator) Close() error {
	g.once.Do(func() {
		close(g.stop)
		g.done.Wait()
		closeSources(g.sources)
	})
	return nil
}

// closeSources closes the sockets, all at the same time: the kernel lets a packet
// socket go only after a grace period.
func closeSources(sources []source) {
	var wg sync.WaitGroup
	for _, s := range sources {
		wg.Go(func() { s.sender.Close() })
	}
	wg.Wait()
}

// arpFrom returns a request or reply from a host of the lab.
func (l *Lab) arpFrom(name string, mac MAC, op uint16, dst MAC, tpa netip.Addr) ARP {
	a := NewARP(op, dst, mac)
	a.SPA, a.TPA = l.Addr(name), tpa
	return a
}
