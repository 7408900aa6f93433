// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// readyTimeout bounds the wait for carrier and for the bond. It is generous
// because a guest without hardware help is slow.
const readyTimeout = time.Minute

// build makes the namespaces and everything in them.
func (l *Lab) build(ctx context.Context) error {
	if err := l.buildNamespaces(); err != nil {
		return err
	}
	if err := l.buildFabric(ctx); err != nil {
		return err
	}
	if err := l.buildHosts(ctx); err != nil {
		return err
	}
	if err := l.waitReady(ctx); err != nil {
		return err
	}
	// A bond that comes up announces itself in some modes and versions only.
	return l.announce(l.Device())
}

func (l *Lab) buildNamespaces() error {
	make := func(name string, mac net.HardwareAddr) (*Namespace, error) {
		f, err := newNetNS(func() error { return l.sysctls(name) })
		if err != nil {
			return nil, fmt.Errorf("namespace %s: %w", name, err)
		}
		return &Namespace{lab: l, name: name, mac: mac, file: f}, nil
	}
	var err error
	if l.fabric, err = make(FabricName, nil); err != nil {
		return err
	}
	if l.host, err = make(HostName, nil); err != nil {
		return err
	}
	for i, name := range targetNames {
		if l.targets[name], err = make(name, targetMAC(i+1)); err != nil {
			return err
		}
	}
	for i := range l.cfg.Slaves {
		for k := range l.cfg.Chatty {
			name := chattyName(i+1, k+1)
			if l.chatty[name], err = make(name, chattyMAC(i+1, k+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// sysctls sets what a new namespace inherits from the machine or has by
// default, before there is any device in it.
func (l *Lab) sysctls(name string) error {
	// On a slave that is not active strict reverse path filtering drops what
	// arrives, as bonding does there.
	rpFilter := "0"
	if name == HostName {
		rpFilter = "1"
	}
	// Both "all" and "default" exist for each, and the stricter of "all" and
	// the device wins for most.
	settings := []struct{ name, all, def string }{
		{"rp_filter", "0", rpFilter},
		{"arp_ignore", "1", "1"}, // answer only for an address of the device that was asked
		{"arp_announce", "2", "2"},
		{"arp_filter", "0", "0"},
		{"arp_accept", "0", "0"},
		{"arp_notify", "0", "0"},
		{"proxy_arp", "0", "0"},
		{"drop_gratuitous_arp", "0", "0"},
		{"accept_local", "0", "0"},
		{"forwarding", "0", "0"},
	}
	for _, s := range settings {
		if err := setSysctl("ipv4/conf/all/"+s.name, s.all); err != nil {
			return err
		}
		if err := setSysctl("ipv4/conf/default/"+s.name, s.def); err != nil {
			return err
		}
	}
	off := "1"
	if l.cfg.IPv6 {
		off = "0"
	}
	for _, scope := range []string{"all", "default"} {
		if err := setSysctl("ipv6/conf/"+scope+"/disable_ipv6", off); err != nil {
			return err
		}
	}
	return nil
}

// buildFabric makes the bridges and all cables with one batch, run where the
// switches are. The other end of a cable is created right in the namespace it
// belongs to, so no device is ever visible anywhere else.
func (l *Lab) buildFabric(ctx context.Context) error {
	var lines []string
	var extra []*os.File
	mac := 0
	address := func() string {
		mac++
		return " address " + fabricMAC(mac).String()
	}
	bridge := func(name string) {
		// The forward mask lets LLDP pass, which a bridge otherwise keeps for
		// itself: a stand-in for a switch that speaks LLDP.
		lines = append(lines, "link add name "+name+address()+
			" up type bridge stp_state 0 forward_delay 0 mcast_snooping 0 group_fwd_mask 0x4000")
	}
	cable := func(sw, port string, to *Namespace, dev string, mac net.HardwareAddr) {
		fd := 3 + len(extra)
		for i, f := range extra {
			if f == to.file {
				fd = 3 + i
			}
		}
		if fd == 3+len(extra) {
			extra = append(extra, to.file)
		}
		lines = append(lines, "link add name "+port+address()+" master "+sw+" up type veth peer name "+dev+
			" address "+mac.String()+" netns /proc/self/fd/"+strconv.Itoa(fd))
	}
	bridge(l.Core())
	for i := range l.cfg.Slaves {
		i++
		sw := l.Switch(i)
		bridge(sw)
		cable(sw, portName(i), l.host, l.cableEnd(i), l.cableMAC(i))
		lines = append(lines,
			"link add name "+uplinkName(i)+address()+" master "+sw+" type veth peer name "+downlinkName(i)+address(),
			"link set "+downlinkName(i)+" master "+l.Core()+" up",
			"link set "+uplinkName(i)+" up")
		for k := range l.cfg.Chatty {
			k++
			cable(sw, chattyPort(i, k), l.Chatty(i, k), HostDevice, chattyMAC(i, k))
		}
	}
	for _, name := range targetNames {
		t := l.targets[name]
		cable(l.Core(), targetPort(name), t, HostDevice, t.mac)
	}
	_, err := l.fabric.run(ctx, strings.Join(lines, "\n")+"\n", extra, "ip", "-batch", "-")
	return err
}

// cableEnd returns the name of the host's end of the cable of slave i: the slave
// itself, or the device under it.
func (l *Lab) cableEnd(i int) string {
	if l.cfg.Rig == RigVEPA {
		return "v" + strconv.Itoa(i)
	}
	return slaveName(i)
}

func (l *Lab) cableMAC(i int) net.HardwareAddr {
	if l.cfg.Rig == RigVEPA {
		return lowerMAC(i)
	}
	return l.slaveMAC(i)
}

// slaveMAC returns the MAC address that slave i is created with. A bond gives
// its slaves one MAC by itself.
func (l *Lab) slaveMAC(i int) net.HardwareAddr {
	if l.cfg.Bond == nil {
		return slaveMAC(1)
	}
	return slaveMAC(i)
}

// buildHosts configures the hosts, all at the same time.
func (l *Lab) buildHosts(ctx context.Context) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	configure := func(n *Namespace, lines []string) {
		wg.Go(func() {
			if err := n.ip(ctx, lines...); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = err
				}
			}
		})
	}
	for _, n := range l.Namespaces() {
		switch n {
		case l.fabric:
		case l.host:
			configure(n, l.hostBatch())
		default:
			lines := append(l.addressLines("add", n.name, HostDevice), "link set "+HostDevice+" up")
			configure(n, lines)
		}
	}
	wg.Wait()
	return first
}

// hostBatch returns the commands that finish the host.
func (l *Lab) hostBatch() []string {
	lines := []string{"link set lo up"}
	if l.cfg.Rig == RigVEPA {
		for i := range l.cfg.Slaves {
			i++
			lines = append(lines,
				"link set "+l.cableEnd(i)+" up",
				"link add name "+slaveName(i)+" link "+l.cableEnd(i)+" address "+l.slaveMAC(i).String()+" type macvlan mode vepa")
		}
	}
	if l.cfg.Bond != nil {
		lines = append(lines, strings.TrimSpace("link add name "+BondName+" type bond "+strings.Join(l.cfg.Bond, " ")))
		for _, name := range l.Slaves() {
			lines = append(lines, "link set "+name+" master "+BondName)
		}
		lines = append(lines, l.addressLines("add", HostName, BondName)...)
		return append(lines, "link set "+BondName+" up")
	}
	for i, name := range l.Slaves() {
		if i > 0 {
			lines = append(lines, "link set "+name+" arp off")
		}
		lines = append(lines, "link set "+name+" up")
	}
	return append(lines, l.addressLines("add", HostName, slaveName(1))...)
}

// addressLines returns the commands that add or delete the addresses of a host
// on a device.
func (l *Lab) addressLines(verb, name, dev string) []string {
	lines := []string{"addr " + verb + " " + l.Addr(name).String() + "/24 dev " + dev}
	if a := l.Addr6(name); a.IsValid() {
		line := "addr " + verb + " " + a.String() + "/64 dev " + dev
		if verb == "add" {
			line += " nodad"
		}
		lines = append(lines, line)
	}
	return lines
}

// waitReady waits until every link has carrier, every port forwards, and a bond
// has its first slave active.
func (l *Lab) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	err := poll(ctx, func() (bool, error) { return l.linksReady() })
	if err != nil || l.cfg.Bond == nil {
		return err
	}
	if !l.hasActive() || slices.Contains(l.cfg.Bond, "arp_interval") && flappingARPMonitor() {
		return nil
	}
	return poll(ctx, func() (bool, error) { return l.bondReady(ctx) })
}

// flappingARPMonitor reports whether the kernel is older than 6.0. Its ARP monitor goes
// by when a device last sent, which ours do not note (LLTX): the bond may never get ready.
func flappingARPMonitor() bool {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	major, _, ok := strings.Cut(string(release), ".")
	n, bad := strconv.Atoi(major)
	return err == nil && ok && bad == nil && n < 6
}

// bondReady reports whether the first slave of the bond is active, and makes it so
// if it can. With the MII monitor all slaves must be up too. With the ARP monitor
// they need not: what it believes of a backup is for others to judge.
func (l *Lab) bondReady(ctx context.Context) (bool, error) {
	state, err := l.BondState(ctx)
	if err != nil {
		return false, err
	}
	first := slaveName(1)
	ready := state.Active == first
	for _, s := range state.Slaves {
		if s.MIIStatus != "UP" && (s.Name == first || !slices.Contains(l.cfg.Bond, "arp_interval")) {
			return false, nil
		}
	}
	if !ready {
		// The slave may have gone down since; the next turn tells.
		l.host.Run(ctx, "ip", "link", "set", BondName, "type", "bond", "active_slave", first)
	}
	return ready, nil
}

// linksReady reports whether all devices of all namespaces are running.
func (l *Lab) linksReady() (bool, error) {
	ready := true
	for _, n := range l.Namespaces() {
		err := n.Do(func() error {
			devs, err := net.Interfaces()
			for _, d := range devs {
				if d.Flags&net.FlagLoopback == 0 && d.Flags&net.FlagRunning == 0 {
					ready = false
				}
			}
			return err
		})
		if err != nil || !ready {
			return false, err
		}
	}
	return true, nil
}

// hasActive reports whether the bond is of a mode that has one active slave.
func (l *Lab) hasActive() bool {
	for i := 0; i+1 < len(l.cfg.Bond); i++ {
		if l.cfg.Bond[i] == "mode" {
			mode := l.cfg.Bond[i+1]
			return mode == "active-backup" || mode == "1"
		}
	}
	return false
}

// poll calls f every few milliseconds until it returns true or an error, or ctx
// ends.
func poll(ctx context.Context, f func() (bool, error)) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := f()
		switch {
		case ctx.Err() != nil && !done: // of which err is only a consequence
			return fmt.Errorf("network is not ready: %w", ctx.Err())
		case done || err != nil:
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
