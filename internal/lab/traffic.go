// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// lostAfter is the age at which a request without an answer counts as lost. An
	// answer may come later yet: then it was the machine that was slow.
	lostAfter = time.Second
	// maxRate bounds what a generator or traffic may send, in packets a second.
	maxRate = 10000
)

// Traffic is a stream of UDP packets from a target to the address of the host,
// each of which the host answers.
type Traffic struct {
	lab    *Lab
	client *net.UDPConn
	server *net.UDPConn
	stop   chan struct{}
	once   sync.Once
	sender sync.WaitGroup
	reader sync.WaitGroup

	mu       sync.Mutex
	sent     []time.Time // by number of the request
	answered []bool
	missing  int
	answer   chan struct{} // capacity 1, an answer came
}

// TrafficReport says how a [Traffic] went.
type TrafficReport struct {
	// Sent is the number of requests that were sent more than a second before
	// the report was made, and all of them in the report of Stop.
	Sent int
	// Lost has the instant at which each request was sent that has had no
	// answer for more than a second, in order. A later report leaves out those
	// that were answered after all.
	Lost []time.Time
}

// Except returns how many requests were lost that were not sent in the time
// from start to end.
func (r TrafficReport) Except(start, end time.Time) int {
	n := 0
	for _, at := range r.Lost {
		if at.Before(start) || at.After(end) {
			n++
		}
	}
	return n
}

// StartTraffic sends pps packets a second from a target (or chatty host) to the
// address of the host, until Stop or the end of the lab. It returns after a first
// packet was answered, which is not counted; ctx bounds only that.
func (l *Lab) StartTraffic(ctx context.Context, from string, pps int) (*Traffic, error) {
	n := l.targets[from]
	if n == nil {
		n = l.chatty[from]
	}
	if n == nil || pps < 1 || pps > maxRate {
		return nil, fmt.Errorf("lab: traffic from %q, %d packets a second: %w", from, pps, ErrConfig)
	}
	t := &Traffic{lab: l, stop: make(chan struct{}), answer: make(chan struct{}, 1)}
	err := l.host.Do(func() (err error) {
		// Not bound to the address of the host, which moves in a failover.
		t.server, err = net.ListenUDP("udp4", nil)
		return err
	})
	if err == nil {
		err = n.Do(func() (err error) {
			port := t.server.LocalAddr().(*net.UDPAddr).AddrPort().Port()
			to := netip.AddrPortFrom(l.Addr(HostName), port)
			t.client, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
			return err
		})
	}
	if err != nil {
		t.closeSockets()
		return nil, fmt.Errorf("lab: traffic from %s: %w", from, err)
	}
	t.reader.Go(t.echo)
	t.reader.Go(t.read)
	if err := t.warmUp(ctx); err != nil {
		t.closeSockets()
		t.reader.Wait()
		return nil, fmt.Errorf("lab: traffic from %s: %w", from, err)
	}
	t.sender.Go(func() { t.run(pps) })
	if err := l.track(t); err != nil {
		t.Close()
		return nil, fmt.Errorf("lab: traffic from %s: %w", from, err)
	}
	return t, nil
}

// Stop ends the stream, waits until every request is answered or lost, and
// reports.
func (t *Traffic) Stop() TrafficReport {
	t.once.Do(func() { close(t.stop) })
	t.sender.Wait()
	t.drain()
	t.Close()
	return t.report(true)
}

// Report reports on the requests that are more than a second old.
func (t *Traffic) Report() TrafficReport { return t.report(false) }

// Close ends the stream without waiting for answers.
func (t *Traffic) Close() error {
	t.lab.untrack(t)
	t.once.Do(func() { close(t.stop) })
	t.sender.Wait()
	t.closeSockets()
	t.reader.Wait()
	return nil
}

func (t *Traffic) closeSockets() {
	if t.client != nil {
		t.client.Close()
	}
	if t.server != nil {
		t.server.Close()
	}
}

func (t *Traffic) report(all bool) TrafficReport {
	t.mu.Lock()
	defer t.mu.Unlock()
	var r TrafficReport
	for i, at := range t.sent {
		if !all && time.Since(at) < lostAfter {
			break
		}
		r.Sent++
		if !t.answered[i] {
			r.Lost = append(r.Lost, at)
		}
	}
	return r
}

// warmUpNumber marks requests that do not count.
const warmUpNumber = ^uint64(0)

// warmUp sends requests until the first answer.
func (t *Traffic) warmUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		t.write(warmUpNumber)
		select {
		case <-t.answer:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("the host does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// run sends the requests.
func (t *Traffic) run(pps int) {
	tick := time.NewTicker(time.Second / time.Duration(pps))
	defer tick.Stop()
	for {
		t.mu.Lock()
		number := uint64(len(t.sent))
		t.sent = append(t.sent, time.Now())
		t.answered = append(t.answered, false)
		t.missing++
		t.mu.Unlock()
		t.write(number)
		select {
		case <-t.stop:
			return
		case <-tick.C:
		}
	}
}

// write sends one request. One that cannot be sent is lost like any other.
func (t *Traffic) write(number uint64) {
	t.client.Write(binary.BigEndian.AppendUint64(nil, number))
}

// read marks what is answered, until the socket is closed.
func (t *Traffic) read() {
	buf := make([]byte, 64)
	for {
		n, err := t.client.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n != 8 {
			// The socket reports what happened to earlier requests too.
			continue
		}
		number := binary.BigEndian.Uint64(buf)
		t.mu.Lock()
		if number < uint64(len(t.sent)) && !t.answered[number] {
			t.answered[number] = true
			t.missing--
		}
		t.mu.Unlock()
		select {
		case t.answer <- struct{}{}:
		default:
		}
	}
}

// echo sends every request back, until the socket is closed.
func (t *Traffic) echo() {
	buf := make([]byte, 64)
	for {
		n, from, err := t.server.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			t.server.WriteToUDPAddrPort(buf[:n], from)
		}
	}
}

// drain waits until everything is answered, or no answer comes any more.
func (t *Traffic) drain() {
	timeout := time.NewTimer(lostAfter)
	defer timeout.Stop()
	for {
		t.mu.Lock()
		missing := t.missing
		t.mu.Unlock()
		if missing == 0 {
			return
		}
		select {
		case <-t.answer:
			timeout.Reset(lostAfter)
		case <-timeout.C:
			return
		}
	}
}
