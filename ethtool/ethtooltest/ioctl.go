// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"cmp"
	"fmt"
	"syscall"

	"github.com/bondkit/bondkit/ethtool"
)

// Numbers of <linux/ethtool.h>.
const (
	ioctlGDrvInfo  = 0x03
	ioctlGLink     = 0x0a
	ioctlGStrings  = 0x1b
	ioctlGPermAddr = 0x20
	ioctlGPFlags   = 0x27
	ioctlSPFlags   = 0x28
	ioctlGSSetInfo = 0x37

	setPrivFlags = 2  // ETH_SS_PRIV_FLAGS
	stringLen    = 32 // ETH_GSTRING_LEN

	// Places in struct ethtool_drvinfo.
	drvInfoText       = 32
	drvInfoPrivFlags  = 4 + 5*drvInfoText + 12
	drvInfoLen        = drvInfoPrivFlags + 5*4
	gstringsHeader    = 12
	permAddrHeader    = 8
	gssetInfoLen      = 20 // with one set
	ethtoolValueLen   = 8
	gssetInfoMaskOff  = 8
	gssetInfoCountOff = 16

	errnoTooSmall = syscall.Errno(525) // ETOOSMALL, which is not in <errno.h>
)

var ioctlNames = map[uint32]string{
	ioctlGDrvInfo:  "ETHTOOL_GDRVINFO",
	ioctlGLink:     "ETHTOOL_GLINK",
	ioctlGStrings:  "ETHTOOL_GSTRINGS",
	ioctlGPermAddr: "ETHTOOL_GPERMADDR",
	ioctlGPFlags:   "ETHTOOL_GPFLAGS",
	ioctlSPFlags:   "ETHTOOL_SPFLAGS",
	ioctlGSSetInfo: "ETHTOOL_GSSET_INFO",
}

// ioctlCall describes an ioctl.
func ioctlCall(name string, data []byte) Call {
	c := Call{Name: "ioctl", Link: ethtool.Link{Name: name}, Data: data}
	if len(data) < 4 {
		return c
	}
	command := ne.Uint32(data)
	var ok bool
	if c.Name, ok = ioctlNames[command]; !ok {
		c.Name = fmt.Sprintf("ioctl %#x", command)
	}
	c.Write = command == ioctlSPFlags
	return c
}

// ioctl is dev_ethtool of the kernel's net/ethtool/ioctl.c. Where data has no room for the
// answer, it is EFAULT.
func (k *Kernel) ioctl(admin bool, name string, data []byte) error {
	n := k.byName(name)
	switch {
	case n == nil:
		return refuse(syscall.ENODEV)
	case len(data) < 4:
		return refuse(syscall.EFAULT)
	}
	command := ne.Uint32(data)
	if command == ioctlSPFlags && !admin {
		return refuse(syscall.EPERM)
	}
	if n.Away {
		return refuse(syscall.ENODEV)
	}
	room := func(size int) error {
		if len(data) < size {
			return refuse(syscall.EFAULT)
		}
		return nil
	}
	switch command {
	case ioctlGDrvInfo:
		if err := room(drvInfoLen); err != nil {
			return err
		}
		return k.drvInfo(n, data)
	case ioctlGLink:
		if err := room(ethtoolValueLen); err != nil {
			return err
		}
		if n.Link.Unknown {
			return refuse(syscall.EOPNOTSUPP)
		}
		ne.PutUint32(data[4:], uint32(bit(n.running())))
		return nil
	case ioctlGSSetInfo:
		if err := room(gssetInfoLen); err != nil {
			return err
		}
		n.setInfo(data)
		return nil
	case ioctlGStrings:
		return n.strings(data)
	case ioctlGPermAddr:
		return n.permAddr(data)
	case ioctlGPFlags, ioctlSPFlags:
		if err := room(ethtoolValueLen); err != nil {
			return err
		}
		return k.ioctlFlags(n, command, data)
	}
	return refuse(syscall.EOPNOTSUPP)
}

// ioctlFlags reads or changes all flags. The kernel has the notification the wrong way round
// (ethtool_get_value_desc and ethtool_set_value in net/ethtool/ioctl.c).
func (k *Kernel) ioctlFlags(n *nic, command uint32, data []byte) error {
	if n.PrivateFlags == nil {
		return refuse(syscall.EOPNOTSUPP)
	}
	if command == ioctlGPFlags {
		var v uint32
		for i, on := range n.flagBits() {
			if on && i < 32 {
				v |= 1 << i
			}
		}
		ne.PutUint32(data[4:], v)
		k.notifyFlags(n)
		return nil
	}
	v := ne.Uint32(data[4:])
	want := n.flagBits()
	for i := range min(len(want), 32) {
		want[i] = v&(1<<i) != 0
	}
	return k.driverSetFlags(n, want)
}

// drvInfo is ethtool_get_drvinfo.
func (k *Kernel) drvInfo(n *nic, data []byte) error {
	if n.Driver == "" {
		return refuse(syscall.EOPNOTSUPP)
	}
	firmware := n.Firmware
	if d := k.findDevlink(n.Parent); firmware == "" && d != nil && d.Errno == 0 && !k.noDevlink {
		for _, v := range d.Running {
			firmware += v.Value + " "
		}
	}
	clear(data[4:drvInfoLen])
	for i, s := range []string{n.Driver, cmp.Or(n.Version, k.release), firmware, n.Bus, n.ExpansionROM} {
		copy(data[4+i*drvInfoText:4+(i+1)*drvInfoText-1], s)
	}
	ne.PutUint32(data[drvInfoPrivFlags:], uint32(cmp.Or(n.DriverInfoFlags, len(n.PrivateFlags))))
	return nil
}

// setInfo is ethtool_get_sset_info. The only set of strings are the private flags.
func (n *nic) setInfo(data []byte) {
	asked := ne.Uint64(data[gssetInfoMaskOff:])
	clear(data[gssetInfoMaskOff:gssetInfoLen])
	if asked&(1<<setPrivFlags) != 0 && n.PrivateFlags != nil {
		ne.PutUint64(data[gssetInfoMaskOff:], 1<<setPrivFlags)
		ne.PutUint32(data[gssetInfoCountOff:], uint32(len(n.PrivateFlags)))
	}
}

// strings is ethtool_get_strings.
func (n *nic) strings(data []byte) error {
	switch {
	case len(data) < gstringsHeader:
		return refuse(syscall.EFAULT)
	case ne.Uint32(data[4:]) != setPrivFlags || n.PrivateFlags == nil:
		return refuse(syscall.EOPNOTSUPP)
	case len(data) < gstringsHeader+stringLen*len(n.PrivateFlags):
		return refuse(syscall.EFAULT)
	}
	ne.PutUint32(data[8:], uint32(len(n.PrivateFlags)))
	for i, f := range n.PrivateFlags {
		s := data[gstringsHeader+i*stringLen:][:stringLen]
		clear(s)
		copy(s[:stringLen-1], f.Name)
	}
	return nil
}

// permAddr is ethtool_get_perm_addr.
func (n *nic) permAddr(data []byte) error {
	if len(data) < permAddrHeader || int(ne.Uint32(data[4:])) < len(n.MAC) || len(data) < permAddrHeader+len(n.MAC) {
		return refuse(errnoTooSmall)
	}
	ne.PutUint32(data[4:], uint32(len(n.MAC)))
	clear(data[permAddrHeader:])
	copy(data[permAddrHeader:permAddrHeader+len(n.MAC)], n.PermMAC)
	return nil
}
