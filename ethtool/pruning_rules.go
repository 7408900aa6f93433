// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import "slices"

// Private flags and features about source pruning.
const (
	flagDisablePruning = "disable-source-pruning" // i40e
	flagMACPruning     = "mac-source-pruning"     // i40e and ice out-of-tree
	featureLoopback    = "loopback"               // NETIF_F_LOOPBACK
)

// pruningRules returns the table, which is the caller's.
//
// Source names files of Linux, whose line numbers differ between versions, and
// of the vendor's drivers where it says out-of-tree. The statements are
// from the source of 5.10, 6.1, 6.12 and 7.3-rc; what is said about macvlan and veth is tested
// on these kernels.
func pruningRules() []PruningRule {
	return slices.Concat(rulesI40E(), rulesICE(), rulesVF(), rulesOtherNICs(), rulesVirtual())
}

// onTheBond returns what helps on the side of the bond.
func onTheBond(first ...Workaround) []Workaround {
	return append(first, FailOverMACActive, ARPValidateActive, MIIMonitor)
}

func rulesI40E() []PruningRule {
	const (
		source    = "i40e_ethtool.c i40e_set_priv_flags, i40e_main.c i40e_add_vsi (5.10 to 7.3; not in 4.14)"
		sourceOOT = "i40e_ethtool.c i40e_set_priv_flags, i40e_main.c (out-of-tree 2.24.6)"
		caution   = "it resets the port: the carrier goes for seconds, and with link-down-on-close on the " +
			"cable too; it is lost when the driver is loaded again"
	)
	flag := PruningRule{
		Driver: "i40e", Control: ControlPrivateFlag, Name: flagDisablePruning,
		Resets: true, Caution: caution, Source: source,
	}
	broken := flag
	broken.Value, broken.State, broken.when, broken.skipsReset = "on", PruningUnknown, caseInTree, true
	broken.Reason = "disable-source-pruning is on, but i40e of Linux 6.7 to 6.12.1 changes the flag without the reset that " +
		"makes it true, unless the distribution has mended it"
	broken.Source = "70756d0a4727 broke it, ea301aec8bb7 mended it"
	broken.Workarounds = onTheBond(UpdateDriver)
	early, late := broken, broken
	early.When, late.When = "Linux 6.7 to 6.11.10", "Linux 6.12 and 6.12.1"
	early.from, early.to = release{6, 7, 0}, release{6, 11, 11}
	late.from, late.to = release{6, 12, 0}, release{6, 12, 2}

	off, on := flag, flag
	on.Value, on.State, on.Reason = "on", Delivers, "disable-source-pruning is on"
	off.Value, off.State, off.Reason = "off", Prunes, "disable-source-pruning is off"
	off.Workarounds = onTheBond()

	return []PruningRule{
		{
			Driver: "i40e", When: "its private flags cannot be read", when: caseUnread, Control: ControlPrivateFlag, Name: flagDisablePruning,
			Resets: true, Caution: caution, Source: source, Reason: "the private flags cannot be read", Workarounds: onTheBond(),
		},
		{
			Driver: "i40e", When: "it has no private flags", when: caseNoFlags, Workarounds: onTheBond(),
			Reason: "i40e has no private flags here: its firmware is in recovery mode",
			Source: "i40e_ethtool.c i40e_ethtool_recovery_mode_ops",
		},
		early, late, on,
		{
			Driver: "i40e", When: "out-of-tree, 2.24.6 and newer", Control: ControlPrivateFlag, Name: flagMACPruning, OnMeansPrunes: true,
			Value: "off", State: Delivers, Resets: true, Caution: caution, Source: sourceOOT, Reason: "mac-source-pruning is off",
		},
		off,
		{
			Driver: "i40e", When: "it has no such flag", State: Prunes, HardWired: true, Source: source,
			Reason:      "i40e without disable-source-pruning (Linux 4.14 and older) prunes always",
			Workarounds: onTheBond(UpdateDriver),
		},
	}
}

func rulesICE() []PruningRule {
	const (
		source  = "ice_ethtool.c ice_set_priv_flags, ice_lib.c ice_update_vsi (out-of-tree 2.3.10)"
		caution = "after a reset of the device it prunes again though the flag is off: set it on and off again"
	)
	flag := PruningRule{
		Driver: "ice", When: "out-of-tree, 2.3.10 and newer", Control: ControlPrivateFlag, Name: flagMACPruning, OnMeansPrunes: true,
		Caution: caution, Source: source,
	}
	on, off := flag, flag
	on.Value, on.State, on.Reason, on.Workarounds = "on", Prunes, "mac-source-pruning is on", onTheBond()
	off.Value, off.State, off.Reason = "off", Delivers, "mac-source-pruning is off"
	return []PruningRule{
		{
			Driver: "ice", When: "its private flags cannot be read", when: caseUnread, Source: source,
			Reason: "the private flags cannot be read", Workarounds: onTheBond(),
		},
		{
			Driver: "ice", When: "it has no private flags", when: caseNoFlags, Workarounds: onTheBond(),
			Reason: "ice has no private flags here: it is in safe mode, for want of its DDP package, or this is a representor",
			Source: "ice_ethtool.c ice_ethtool_safe_mode_ops, ice_ethtool_repr_ops",
		},
		off, on,
		{
			Driver: "ice", When: "it has no such flag", State: Prunes, HardWired: true,
			Reason:      "ice without mac-source-pruning prunes always",
			Source:      "ice_lib.c ice_set_dflt_vsi_ctx (ICE_AQ_VSI_SW_FLAG_SRC_PRUNE; 5.10 to 7.3)",
			Workarounds: append(onTheBond(), OutOfTreeDriver),
		},
	}
}

// rulesVF are those about drivers of virtual functions.
func rulesVF() []PruningRule {
	vf := PruningRule{
		State: Prunes, HardWired: true, Control: ControlHost,
		Reason:      "virtual functions of i40e and ice prune; only the host can change it, with the vendor's driver",
		Source:      "i40e_virtchnl_pf.c, ice_vf_lib.c (vf-source-pruning; out-of-tree i40e 2.22.8, ice 2.3.10); no flag in iavf",
		Workarounds: onTheBond(HostTrust),
	}
	iavf, i40evf := vf, vf
	iavf.Driver, i40evf.Driver = "iavf", "i40evf"
	return []PruningRule{
		iavf, i40evf,
		{
			Driver: "ixgbevf", State: Prunes, HardWired: true, Workarounds: onTheBond(),
			Reason: "ixgbevf drops broadcasts from its own address in software",
			Source: "ixgbevf_main.c ixgbevf_clean_rx_irq (5.10 to 7.3)",
		},
		{
			Driver: "igbvf", State: Delivers, Reason: "igbvf drops nothing", Source: "igbvf/netdev.c (5.10 to 7.3)",
		},
	}
}

func rulesOtherNICs() []PruningRule {
	ixgbe := PruningRule{
		Driver: "ixgbe", When: "with SR-IOV", Control: ControlBridgeMode,
		Source: "ixgbe_main.c ixgbe_configure_bridge_mode, ixgbe_x550.c ixgbe_set_source_address_pruning_x550 (5.10 to 7.3)",
	}
	vepa, veb := ixgbe, ixgbe
	vepa.Value, vepa.State, vepa.Workarounds = bridgeVEPA, Prunes, onTheBond()
	vepa.Reason = "in bridge mode vepa X550 and E610 prune (82599 and X540 cannot)"
	veb.Value, veb.State, veb.Reason = bridgeVEB, Delivers, "in bridge mode veb ixgbe drops nothing"
	vepa.Caution = "virtual functions on the card reach one another inside it then"
	veb.Caution = "virtual functions on the card reach one another through a switch that reflects only"

	mlx4 := PruningRule{
		Driver: "mlx4_en", Control: ControlFeature, Name: featureLoopback,
		Source: "mlx4/en_rx.c mlx4_en_process_rx_cq, en_main.c mlx4_en_update_loopback_state (5.10 to 7.3)",
	}
	loops, many, one := mlx4, mlx4, mlx4
	loops.Value, loops.State, loops.Reason = "on", Delivers, "with loopback on mlx4_en drops nothing"
	many.Value, many.State, many.when, many.When = "off", Prunes, caseManyFunctions, "with SR-IOV, and as a virtual function"
	many.Reason = "with SR-IOV mlx4_en drops broadcasts from its own address in software"
	many.Caution = "the card then sends back everything that the host sends"
	many.Workarounds = onTheBond()
	one.Value, one.State, one.when, one.When = "off", Delivers, caseOneFunction, "without SR-IOV"
	one.Reason, one.Control, one.Name, one.Value = "without SR-IOV mlx4_en drops nothing", controlNone, "", ""

	rules := []PruningRule{
		{
			Driver: "ixgbe", When: "its bridge mode cannot be read", when: caseUnread, Source: ixgbe.Source,
			Control: ControlBridgeMode, Reason: "the bridge mode cannot be read", Workarounds: onTheBond(),
		},
		vepa, veb,
		{
			Driver: "ixgbe", When: "without SR-IOV", State: Delivers, Source: ixgbe.Source,
			Reason: "without SR-IOV ixgbe drops nothing",
		},
		loops, many, one,
		{
			Driver: "mlx4_en", When: "it cannot be told", Control: ControlFeature, Name: featureLoopback, Source: mlx4.Source,
			Reason: "mlx4_en drops broadcasts from its own address if it has virtual functions or is one, which cannot be told here", Workarounds: onTheBond(),
		},
		{
			Driver: "mlx5_core", Workarounds: []Workaround{AllSlavesActive, ARPValidateActive, MIIMonitor},
			Reason: "mlx5_core does not ask its device to prune, what firmware does is not known; with VF LAG it drops all that an inactive slave receives",
			Source: "mlx5/core/vport.c mlx5_nic_vport_update_local_lb, lag/lag.c (VF LAG; 6.1 to 7.3, not 5.10)",
		},
		{
			Driver: "nxp_enetc4", Workarounds: onTheBond(),
			Reason: "ENETC v4 can prune in hardware and counts it (ethtool -S); the driver leaves it as the device has it",
			Source: "enetc_ethtool.c (MAC SA pruning; 7.3)",
		},
		{
			Driver: "fm10k", Workarounds: onTheBond(),
			Reason: "fm10k suppresses what it looped back, by port and perhaps not by address",
			Source: "fm10k_pci.c fm10k_configure_rx_ring (SRRCTL; 5.10 to 7.3)",
		},
	}
	// What the firmware of these does is for a probe to find out.
	for _, driver := range []string{
		"bnx2x", "bnxt_en", "qede", "be2net", "sfc", "enic", "igc", "tg3", "r8169", "ionic", "gve", "ena", "hns3", "idpf", "mana",
	} {
		rules = append(rules, PruningRule{
			Driver: driver, Workarounds: onTheBond(),
			Reason: driver + " does not ask its device to prune; what the device does by itself is not known",
			Source: "no such code in the driver (7.3)",
		})
	}
	for _, driver := range []string{"e1000", "e1000e", "igb"} {
		rules = append(rules, PruningRule{
			Driver: driver, State: Delivers, Reason: driver + " drops nothing", Source: "no such code in the driver (5.10 to 7.3)",
		})
	}
	for _, driver := range []string{"virtio_net", "vmxnet3"} {
		rules = append(rules, PruningRule{
			Driver: driver, State: Delivers, Reason: driver + " drops nothing; the virtual switch of the host may",
			Source: "no such code in the driver (5.10 to 7.3)",
		})
	}
	return rules
}

// rulesVirtual are those about interfaces without a device. The driver is the
// kind.
func rulesVirtual() []PruningRule {
	rules := slices.Concat(rulesMacvlan("macvlan"), rulesMacvlan("macvtap"))
	rules = append(rules, PruningRule{
		Driver: "veth", State: Delivers, Reason: "veth drops nothing", Source: "drivers/net/veth.c (5.10 to 7.3)",
	}, PruningRule{
		Driver: "vlan", State: Delivers, asksBelow: true, When: "the device below decides",
		Reason: "a VLAN drops nothing", Source: "net/8021q/vlan_core.c vlan_do_receive (5.10 to 7.3)",
	})
	for _, driver := range []string{"bond", "team", "bridge"} {
		rules = append(rules, PruningRule{
			Driver: driver, Reason: "a " + driver + " receives through other interfaces: ask about these", Source: "rx_handler of its slaves",
		})
	}
	return rules
}

func rulesMacvlan(kind string) []PruningRule {
	row := func(mode string, state PruningState, reason string) PruningRule {
		r := PruningRule{
			Driver: kind, Control: ControlMacvlanMode, Value: mode, State: state, Reason: reason,
			Source: "macvlan.c macvlan_handle_frame, macvlan_multicast_rx (tested on 5.10, 6.1, 6.12, 6.18, 7.2)", asksBelow: state == Delivers,
		}
		if state != Delivers {
			r.Workarounds = onTheBond(MacvlanPrivate)
		}
		return r
	}
	old := row(macvlanBridge, Prunes, "in mode bridge macvlan of Linux 6.18 and older drops broadcasts from its own address")
	old.When, old.to = "Linux up to 6.18", release{6, 19, 0}
	between := row(macvlanBridge, PruningUnknown, "in mode bridge macvlan prunes up to Linux 6.18 and delivers from 7.0, and 6.19 is not known")
	between.When, between.from, between.to = "Linux 6.19", release{6, 19, 0}, release{7, 0, 0}
	young := row(macvlanBridge, Delivers, "in mode bridge macvlan of Linux 7.0 and newer drops nothing")
	young.When, young.from = "Linux 7.0 and newer", release{7, 0, 0}
	passthru := row(macvlanPassthru, Delivers, "in mode passthru macvlan drops nothing")
	source := row(macvlanSource, Delivers, "in mode source macvlan lets its own address pass")
	// The kernel refuses to leave passthru, and forgets the addresses when it leaves source.
	passthru.Fixed, source.Fixed = true, true
	return []PruningRule{
		row(macvlanVEPA, Prunes, "in mode vepa macvlan drops broadcasts from its own address"),
		row(macvlanPrivate, Delivers, "in mode private macvlan drops nothing"),
		old, between, young, passthru, source,
		{
			Driver: kind, Control: ControlMacvlanMode, Reason: "nothing is known about this mode of macvlan",
			Source: "macvlan.c", Workarounds: onTheBond(MacvlanPrivate),
		},
	}
}
