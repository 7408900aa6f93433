// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"fmt"
	"net"
	"slices"
	"syscall"

	"github.com/bondkit/bondkit/ethtool"
)

// hardware is a NIC with what all NICs on PCI Express have. pci is the address, such as
// "0000:3b:00.0". Functions of one card have addresses that differ in the last number; their
// hardware addresses follow each other.
func hardware(pci, driver string, oui [3]byte, port ethtool.Port) *NIC {
	return &NIC{
		PermMAC: address(pci, oui), Parent: "pci/" + pci, Driver: driver, Bus: pci, Port: new(port),
		PCI: &PCI{Address: pci, Speed: "8.0 GT/s PCIe", MaxSpeed: "8.0 GT/s PCIe", Width: 8, MaxWidth: 8},
	}
}

// address makes a hardware address of the address of a PCI device.
func address(pci string, oui [3]byte) net.HardwareAddr {
	var domain uint16
	var bus, dev, fn uint8
	if _, err := fmt.Sscanf(pci, "%04x:%02x:%02x.%x", &domain, &bus, &dev, &fn); err != nil {
		panic(fmt.Sprintf("ethtooltest: %q is no address of a PCI device", pci))
	}
	return net.HardwareAddr{oui[0], oui[1], oui[2], byte(domain) ^ bus, dev, fn}
}

// serial is the device serial number of PCI Express that Intel's cards have: it is made of the
// first hardware address of the card.
func serial(pci string, oui [3]byte) string {
	a := address(pci, oui)
	return fmt.Sprintf("%02x-%02x-%02x-ff-ff-%02x-%02x-00", a[0], a[1], a[2], a[3], a[4])
}

var (
	ouiIntel    = [3]byte{0x3c, 0xfd, 0xfe}
	ouiMellanox = [3]byte{0xb8, 0x59, 0x9f}
	ouiBroadcom = [3]byte{0x84, 0x16, 0x0c}
)

func (p *PCI) identify(vendor, device, subVendor, subDevice uint16) {
	p.Vendor, p.Device, p.SubVendor, p.SubDevice = vendor, device, subVendor, subDevice
}

// I40E is an Intel XXV710 with the driver of the kernel. It prunes, and its flag disable-source-pruning
// says not to; to change that resets the port. Linux 6.7 to 6.12.1 forget the reset, without
// which nothing changes.
func I40E(pci string) *NIC {
	n := hardware(pci, "i40e", ouiIntel, ethtool.PortFibre)
	n.Firmware = "8.30 0x8000a49d 1.2926.0"
	n.PCI.identify(0x8086, 0x158b, 0x8086, 0x0002)
	n.PrivateFlags = []Flag{
		{Name: "MFP", Errno: syscall.EOPNOTSUPP},
		{Name: "total-port-shutdown", Errno: syscall.EOPNOTSUPP},
		{Name: "LinkPolling"},
		{Name: "flow-director-atr", On: true},
		{Name: "veb-stats", Resets: true},
		{Name: "hw-atr-eviction"},
		{Name: "link-down-on-close"},
		{Name: "legacy-rx", Resets: true},
		{Name: "disable-source-pruning", Resets: true, InertSince: "6.7", InertUntil: "6.12.2"},
		{Name: "disable-fw-lldp", Resets: true},
		{Name: "rs-fec"},
		{Name: "base-r-fec"},
		{Name: "vf-vlan-pruning", Since: "6.1"},
		{Name: "mdd-auto-reset-vf", Since: "6.13"},
		{Name: "vf-true-promisc-support"},
	}
	n.Devlink = &Devlink{
		Driver: "i40e", Since: "6.7", Serial: serial(pci, ouiIntel),
		Fixed: []ethtool.Version{{Name: "board.id", Value: "K15190-000"}},
		Running: []ethtool.Version{
			{Name: "fw.mgmt", Value: "8.13.63341"},
			{Name: "fw.mgmt.api", Value: "1.12"},
			{Name: "fw.mgmt.build", Value: "63341"},
			{Name: "fw.psid.api", Value: "8.30"},
			{Name: "fw.bundle_id", Value: "0x8000a49d"},
			{Name: "fw.undi", Value: "1.2926.0"},
		},
	}
	n.HasDevlinkPort = true
	return n
}

// I40EOutOfTree is the card of [I40E] with Intel's driver. It has mac-source-pruning besides, which stands
// for the whole card, and whose polarity is the other one.
func I40EOutOfTree(pci string) *NIC {
	n := I40E(pci)
	n.Version, n.OutOfTree, n.Devlink, n.HasDevlinkPort = "2.28.9", true, nil, false
	for i := range n.PrivateFlags {
		n.PrivateFlags[i].Since, n.PrivateFlags[i].InertSince, n.PrivateFlags[i].InertUntil = "", "", ""
	}
	n.PrivateFlags = append(n.PrivateFlags,
		Flag{Name: "mac-source-pruning", On: true, Resets: true}, Flag{Name: "vf-source-pruning", On: true, Resets: true})
	return n
}

// I40ERecovery is the card of [I40E] with firmware in recovery mode: it has neither private flags
// nor a link, though the driver says that it has flags.
func I40ERecovery(pci string) *NIC {
	n := I40E(pci)
	n.DriverInfoFlags = len(n.PrivateFlags)
	n.PrivateFlags, n.Port, n.Devlink, n.HasDevlinkPort = nil, nil, nil, false
	n.Link.Unknown, n.NoCarrier = true, true
	return n
}

// ICE is an Intel E810 with the driver of the kernel. It prunes, and nothing
// changes that.
func ICE(pci string) *NIC {
	n := hardware(pci, "ice", ouiIntel, ethtool.PortFibre)
	n.Firmware = "4.40 0x8001c7d4 1.3534.0"
	n.PCI.identify(0x8086, 0x1593, 0x8086, 0x0002)
	n.PCI.Speed, n.PCI.MaxSpeed, n.PCI.Width, n.PCI.MaxWidth = "16.0 GT/s PCIe", "16.0 GT/s PCIe", 16, 16
	n.PrivateFlags = []Flag{
		{Name: "link-down-on-close"},
		{Name: "fw-lldp-agent"},
		{Name: "vf-true-promisc-support"},
		{Name: "mdd-auto-reset-vf"},
		{Name: "vf-vlan-pruning", Since: "6.1"},
		{Name: "legacy-rx", Until: "6.13"},
	}
	flash := []ethtool.Version{
		{Name: "fw.undi", Value: "1.3534.0"}, {Name: "fw.psid.api", Value: "4.40"}, {Name: "fw.bundle_id", Value: "0x8001c7d4"},
	}
	netlist := []ethtool.Version{{Name: "fw.netlist", Value: "4.4.5000-2.15.0"}, {Name: "fw.netlist.build", Value: "0x0ba411b9"}}
	running := []ethtool.Version{
		{Name: "fw.mgmt", Value: "7.4.13"}, {Name: "fw.mgmt.api", Value: "1.7.11"}, {Name: "fw.mgmt.build", Value: "0xded4446f"},
	}
	running = append(running, flash...)
	running = append(running,
		ethtool.Version{Name: "fw.app.name", Value: "ICE OS Default Package"}, ethtool.Version{Name: "fw.app", Value: "1.3.36.0"},
		ethtool.Version{Name: "fw.app.bundle_id", Value: "0xc0000001"})
	n.Devlink = &Devlink{
		Driver: "ice", Serial: serial(pci, ouiIntel),
		Fixed:   []ethtool.Version{{Name: "board.id", Value: "K91258-006"}},
		Running: append(running, netlist...),
		Stored:  append(slices.Clip(flash), netlist...),
		Reporters: []Reporter{
			{Name: "fw", Since: "6.14"}, {Name: "port", Since: "6.14"},
		},
	}
	n.HasDevlinkPort = true
	return n
}

// ICEOutOfTree is the card of [ICE] with Intel's driver. Its flag mac-source-pruning is changed
// without a reset; after one the hardware prunes again, whatever the flag says.
func ICEOutOfTree(pci string) *NIC {
	n := ICE(pci)
	n.Version, n.OutOfTree = "2.4.5", true
	n.PrivateFlags = []Flag{
		{Name: "link-down-on-close"},
		{Name: "fw-lldp-agent"},
		{Name: "channel-inline-fd-mark"},
		{Name: "channel-pkt-inspect-optimize", On: true},
		{Name: "channel-pkt-clean-bp-stop"},
		{Name: "channel-pkt-clean-bp-stop-cfg"},
		{Name: "vf-true-promisc-support"},
		{Name: "mdd-auto-reset-vf"},
		{Name: "vf-vlan-pruning"},
		{Name: "mac-source-pruning", On: true, Forgotten: true},
		{Name: "vf-source-pruning", On: true, Forgotten: true},
		{Name: "legacy-rx"},
		{Name: "dpll_monitor", On: true},
		{Name: "allow-no-fec-modules-in-auto"},
	}
	return n
}

// ICESafeMode is the card of [ICE] without its DDP package, in safe mode: it has a link and no
// private flags, though the driver says that it has.
func ICESafeMode(pci string) *NIC {
	n := ICE(pci)
	n.DriverInfoFlags = 5
	n.PrivateFlags = nil
	running := n.Devlink.Running[:0:0]
	for _, v := range n.Devlink.Running {
		if v.Name != "fw.app" && v.Name != "fw.app.name" && v.Name != "fw.app.bundle_id" {
			running = append(running, v)
		}
	}
	n.Devlink.Running = running
	return n
}

// IXGBE is an Intel X550-T2 without virtual functions. It does not prune.
func IXGBE(pci string) *NIC {
	n := hardware(pci, "ixgbe", ouiIntel, ethtool.PortTP)
	n.Firmware = "0x80000d0d, 1.2585.0"
	n.PCI.identify(0x8086, 0x1563, 0x8086, 0x0001)
	n.PCI.Width, n.PCI.MaxWidth = 4, 4
	n.PrivateFlags = []Flag{{Name: "legacy-rx", Resets: true}, {Name: "vf-ipsec"}, {Name: "mdd-disable-vf", Since: "6.1"}}
	return n
}

// E1000E is an Intel 82574L, whose driver refuses to switch its flags on.
func E1000E(pci string) *NIC {
	n := hardware(pci, "e1000e", ouiIntel, ethtool.PortTP)
	n.Firmware = "1.9-0"
	n.PCI.identify(0x8086, 0x10d3, 0x8086, 0xa01f)
	n.PCI.Speed, n.PCI.MaxSpeed, n.PCI.Width, n.PCI.MaxWidth = "2.5 GT/s PCIe", "2.5 GT/s PCIe", 1, 1
	n.PrivateFlags = []Flag{
		{Name: "s0ix-enabled", Errno: syscall.EINVAL, OnlyOn: true},
		{Name: "disable-k1", Errno: syscall.EINVAL, OnlyOn: true, Since: "6.13"},
	}
	return n
}

// IGB is an Intel I350. Its flag legacy-rx resets the port.
func IGB(pci string) *NIC {
	n := hardware(pci, "igb", ouiIntel, ethtool.PortTP)
	n.Firmware = "1.63, 0x800009fa"
	n.PCI.identify(0x8086, 0x1521, 0x8086, 0x0001)
	n.PCI.Speed, n.PCI.MaxSpeed, n.PCI.Width, n.PCI.MaxWidth = "5.0 GT/s PCIe", "5.0 GT/s PCIe", 4, 4
	n.PrivateFlags = []Flag{{Name: "legacy-rx", Resets: true}}
	return n
}

// virtual is a virtual function of the physical function physfn.
func virtual(pci, physfn, driver string, device uint16) *NIC {
	n := hardware(pci, driver, ouiIntel, ethtool.PortNone)
	n.PCI.identify(0x8086, device, 0x8086, 0)
	n.PCI.PhysFn = physfn
	n.PCI.Speed, n.PCI.MaxSpeed, n.PCI.Width, n.PCI.MaxWidth = "Unknown", "Unknown", 0, 0
	n.HasDevlinkPort = false
	return n
}

// IAVF is a virtual function of an Intel XL710, XXV710 or E810, as the guest sees it where it
// is passed through without its physical function: then physfn is empty.
func IAVF(pci, physfn string) *NIC {
	n := virtual(pci, physfn, "iavf", 0x154c)
	n.Firmware = "N/A"
	n.PrivateFlags = []Flag{{Name: "legacy-rx", Resets: true, Until: "6.12"}}
	return n
}

// IXGBEVF is a virtual function of an Intel 82599 or X550. Its driver drops what
// it receives from its own address.
func IXGBEVF(pci, physfn string) *NIC {
	n := virtual(pci, physfn, "ixgbevf", 0x10ed)
	n.PrivateFlags = []Flag{{Name: "legacy-rx", Resets: true}}
	return n
}

// MLX4 is a Mellanox ConnectX-3 Pro, without virtual functions.
func MLX4(pci string) *NIC {
	n := hardware(pci, "mlx4_en", ouiMellanox, ethtool.PortDA)
	n.Firmware = "2.42.5000"
	n.PCI.identify(0x15b3, 0x1007, 0x15b3, 0x0007)
	n.PrivateFlags = []Flag{{Name: "blueflame", On: true}, {Name: "phv-bit"}}
	n.Features = []Feature{
		{Name: "rx-checksum", On: true}, {Name: "tx-scatter-gather", On: true}, {Name: "loopback"}, {Name: "rx-vlan-filter", On: true, Fixed: true},
	}
	n.Devlink = &Devlink{Driver: "mlx4_core", Errno: syscall.EOPNOTSUPP}
	n.DevlinkPort, n.HasDevlinkPort = 1, true
	return n
}

// MLX4MultiFunction is the card of [MLX4] with virtual functions: its driver drops multicast
// and broadcast that it receives from its own address, except with the feature loopback.
func MLX4MultiFunction(pci string) *NIC {
	n := MLX4(pci)
	n.PCI.Files = map[string]string{"sriov_numvfs": "4\n", "sriov_totalvfs": "16\n"}
	return n
}

// MLX5 is a Mellanox ConnectX-5.
func MLX5(pci string) *NIC {
	n := hardware(pci, "mlx5_core", ouiMellanox, ethtool.PortDA)
	n.Firmware = "16.35.3006 (MT_0000000012)"
	n.PCI.identify(0x15b3, 0x1017, 0x15b3, 0x0020)
	n.PCI.Width, n.PCI.MaxWidth = 16, 16
	n.PrivateFlags = []Flag{
		{Name: "rx_cqe_moder", On: true},
		{Name: "tx_cqe_moder"},
		{Name: "rx_cqe_compress"},
		{Name: "rx_striding_rq", On: true},
		{Name: "rx_no_csum_complete"},
		{Name: "xdp_tx_mpwqe", On: true},
		{Name: "skb_tx_mpwqe"},
		{Name: "tx_port_ts", Since: "6.1"},
	}
	versions := []ethtool.Version{{Name: "fw.version", Value: "16.35.3006"}, {Name: "fw", Value: "16.35.3006"}}
	n.Devlink = &Devlink{
		Driver: "mlx5_core", Fixed: []ethtool.Version{{Name: "fw.psid", Value: "MT_0000000012"}}, Running: versions, Stored: versions,
		Reporters: []Reporter{
			{Name: "fw", AutoRecover: true},
			{Name: "fw_fatal", AutoRecover: true},
			{Name: "vnic", Since: "6.5"},
			{Name: "tx", OnPort: true, Port: 0xffff, AutoRecover: true},
			{Name: "rx", OnPort: true, Port: 0xffff, AutoRecover: true},
		},
	}
	n.DevlinkPort, n.HasDevlinkPort = 0xffff, true
	return n
}

// BNXT is a Broadcom BCM57414. It has no private flags.
func BNXT(pci string) *NIC {
	n := hardware(pci, "bnxt_en", ouiBroadcom, ethtool.PortFibre)
	n.Firmware = "229.0.146.0/pkg 229.1.123.0"
	n.PCI.identify(0x14e4, 0x16d7, 0x14e4, 0x4140)
	mac := address(pci, ouiBroadcom)
	versions := []ethtool.Version{
		{Name: "fw.psid", Value: "0.0.0"},
		{Name: "fw", Value: "229.1.123.0"},
		{Name: "fw.mgmt", Value: "229.0.146.0"},
		{Name: "fw.mgmt.api", Value: "1.10.2"},
	}
	n.Devlink = &Devlink{
		Driver: "bnxt_en", Serial: fmt.Sprintf("%02X-%02X-%02X-FF-FE-%02X-%02X-00", mac[0], mac[1], mac[2], mac[3], mac[4]),
		BoardSerial: fmt.Sprintf("P414%02X%02XB", mac[3], mac[4]),
		Fixed: []ethtool.Version{
			{Name: "board.id", Value: "BCM957414A4142CC"}, {Name: "asic.id", Value: "0x16d7"}, {Name: "asic.rev", Value: "1"},
		},
		Running: versions, Stored: versions[:3],
		Reporters: []Reporter{{Name: "fw", AutoRecover: true}},
	}
	n.HasDevlinkPort = true
	return n
}
