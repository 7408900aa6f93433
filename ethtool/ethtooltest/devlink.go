// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/bondkit/bondkit/ethtool"
)

// Numbers of <linux/devlink.h>.
const (
	devlinkGet            = 1
	devlinkNew            = 3
	devlinkPortGet        = 5
	devlinkPortNew        = 7
	devlinkInfoGet        = 51
	devlinkReporterGet    = 52
	devlinkBusName        = 1
	devlinkDevName        = 2
	devlinkPortIndex      = 3
	devlinkPortType       = 4
	devlinkPortNetdev     = 6
	devlinkPortNetdevName = 7
	devlinkInfoDriver     = 98
	devlinkInfoSerial     = 99
	devlinkInfoFixed      = 100
	devlinkInfoRunning    = 101
	devlinkInfoStored     = 102
	devlinkVersionName    = 103
	devlinkVersionValue   = 104
	devlinkReporter       = 114
	devlinkReporterName   = 115
	devlinkReporterState  = 116
	devlinkReporterErrors = 117
	devlinkReporterRecov  = 118
	devlinkReporterDump   = 119
	devlinkReporterGrace  = 120
	devlinkReporterAuto   = 121
	devlinkReporterDumpNS = 137
	devlinkReporterAutoD  = 141
	devlinkBoardSerial    = 146

	devlinkPortTypeEth = 2
)

var devlinkCommands = map[uint8]string{
	devlinkGet:         "DEVLINK_CMD_GET",
	devlinkPortGet:     "DEVLINK_CMD_PORT_GET",
	devlinkInfoGet:     "DEVLINK_CMD_INFO_GET",
	devlinkReporterGet: "DEVLINK_CMD_HEALTH_REPORTER_GET",
}

func (k *Kernel) findDevlink(handle string) *devlink {
	i := slices.IndexFunc(k.devlinks, func(d *devlink) bool { return d.handle == handle })
	if i < 0 {
		return nil
	}
	return k.devlinks[i]
}

// devlinkFamily answers a request of the family devlink.
func (k *Kernel) devlinkFamily(req ethtool.Request) ([]ethtool.Message, error) {
	if _, ok := devlinkCommands[req.Command]; !ok {
		return nil, fmt.Errorf("%w: the family devlink has no command %d", ethtool.ErrKernelTooOld, req.Command)
	}
	tb := collect(req.Attrs)
	bus, hasBus := tb[devlinkBusName]
	dev, hasDev := tb[devlinkDevName]
	named := hasBus && hasDev
	handle := bus.text() + "/" + dev.text()
	if req.Dump {
		var all []ethtool.Message
		for _, d := range k.devlinks {
			if named && d.handle != handle && k.version.has(versionNarrowDumps) {
				continue
			}
			messages, err := k.devlinkAll(d, req.Command)
			if err != nil {
				return nil, err
			}
			all = append(all, messages...)
		}
		if named && k.version.has(versionNarrowDumps) && k.findDevlink(handle) == nil {
			return nil, refuse(syscall.ENODEV)
		}
		return all, nil
	}
	if !named {
		return nil, refuse(syscall.EINVAL)
	}
	d := k.findDevlink(handle)
	if d == nil {
		return nil, refuse(syscall.ENODEV)
	}
	port, hasPort := tb[devlinkPortIndex]
	switch req.Command {
	case devlinkInfoGet:
		m, err := k.devlinkInfo(d)
		return []ethtool.Message{m}, err
	case devlinkPortGet:
		for _, n := range k.nics {
			if hasPort && n.Parent == handle && n.HasDevlinkPort && n.DevlinkPort == port.number() {
				return []ethtool.Message{d.port(n)}, nil
			}
		}
		return nil, refuse(syscall.ENODEV)
	case devlinkReporterGet:
		name, ok := tb[devlinkReporterName]
		for _, r := range d.Reporters {
			if ok && r.Name == name.text() && r.OnPort == hasPort && (!hasPort || r.Port == port.number()) {
				return []ethtool.Message{d.reporter(r)}, nil
			}
		}
		return nil, refuse(syscall.EINVAL)
	}
	return []ethtool.Message{{Command: devlinkNew, Attrs: d.appendHandle(nil)}}, nil
}

// devlinkAll is what a dump tells of one instance.
func (k *Kernel) devlinkAll(d *devlink, command uint8) (all []ethtool.Message, err error) {
	switch command {
	case devlinkInfoGet:
		m, err := k.devlinkInfo(d)
		if ke, ok := err.(*ethtool.KernelError); ok && ke.Errno == syscall.EOPNOTSUPP { //nolint:errorlint // it is made below
			return nil, nil
		}
		return []ethtool.Message{m}, err
	case devlinkPortGet:
		for _, n := range k.nics {
			if n.Parent == d.handle && n.HasDevlinkPort {
				all = append(all, d.port(n))
			}
		}
	case devlinkReporterGet:
		for _, onPort := range []bool{false, true} {
			for _, r := range d.Reporters {
				if r.OnPort == onPort {
					all = append(all, d.reporter(r))
				}
			}
		}
	default:
		all = append(all, ethtool.Message{Command: devlinkNew, Attrs: d.appendHandle(nil)})
	}
	return all, nil
}

func (d *devlink) appendHandle(b []byte) []byte {
	bus, dev, _ := strings.Cut(d.handle, "/")
	return appendText(appendText(b, devlinkBusName, bus), devlinkDevName, dev)
}

// devlinkInfo is devlink_nl_info_fill of the kernel's net/devlink/dev.c.
func (k *Kernel) devlinkInfo(d *devlink) (ethtool.Message, error) {
	b := d.appendHandle(nil)
	switch {
	case d.Errno == syscall.EOPNOTSUPP && k.version.has(versionDriverName):
		return ethtool.Message{Command: devlinkInfoGet, Attrs: appendText(b, devlinkInfoDriver, d.Driver)}, nil
	case d.Errno != 0:
		return ethtool.Message{}, refuse(d.Errno)
	}
	if d.Serial != "" {
		b = appendText(b, devlinkInfoSerial, d.Serial)
	}
	if d.BoardSerial != "" {
		b = appendText(b, devlinkBoardSerial, d.BoardSerial)
	}
	for _, group := range []struct {
		typ      uint16
		versions []ethtool.Version
	}{{devlinkInfoFixed, d.Fixed}, {devlinkInfoRunning, d.Running}, {devlinkInfoStored, d.Stored}} {
		for _, v := range group.versions {
			b = appendNest(b, group.typ, appendText(appendText(nil, devlinkVersionName, v.Name), devlinkVersionValue, v.Value))
		}
	}
	if d.Driver != "" {
		b = appendText(b, devlinkInfoDriver, d.Driver)
	}
	return ethtool.Message{Command: devlinkInfoGet, Attrs: b}, nil
}

func (d *devlink) port(n *nic) ethtool.Message {
	b := appendU32(d.appendHandle(nil), devlinkPortIndex, n.DevlinkPort)
	b = appendU16(b, devlinkPortType, devlinkPortTypeEth)
	b = appendU32(b, devlinkPortNetdev, uint32(n.Index))
	return ethtool.Message{Command: devlinkPortNew, Attrs: appendText(b, devlinkPortNetdevName, n.name)}
}

// reporter is devlink_nl_health_reporter_fill of the kernel's net/devlink/health.c.
func (d *devlink) reporter(r Reporter) ethtool.Message {
	b := d.appendHandle(nil)
	if r.OnPort {
		b = appendU32(b, devlinkPortIndex, r.Port)
	}
	inner := appendText(nil, devlinkReporterName, r.Name)
	inner = appendU8(inner, devlinkReporterState, bit(r.Failed))
	inner = appendU64(inner, devlinkReporterErrors, r.Errors)
	inner = appendU64(inner, devlinkReporterRecov, r.Recoveries)
	inner = appendU64(inner, devlinkReporterGrace, 0)
	inner = appendU8(inner, devlinkReporterAuto, bit(r.AutoRecover))
	if !r.LastDump.IsZero() {
		inner = appendU64(inner, devlinkReporterDump, uint64(r.LastDump.UnixMilli()))
		inner = appendU64(inner, devlinkReporterDumpNS, uint64(r.LastDump.UnixNano()))
	}
	inner = appendU8(inner, devlinkReporterAutoD, 1)
	return ethtool.Message{Command: devlinkReporterGet, Attrs: appendNest(b, devlinkReporter, inner)}
}
