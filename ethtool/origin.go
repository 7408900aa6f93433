// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"errors"
	"io/fs"
	"strings"
)

// Origin says whether a driver came with the kernel.
type Origin uint8

// The origins.
const (
	// OriginUnknown: the driver is not found in /sys/module.
	OriginUnknown Origin = iota
	// OriginInTree: it was built with the kernel, into it or as one of its modules.
	OriginInTree
	// OriginOutOfTree: it was built apart from the kernel, as vendors' drivers are.
	OriginOutOfTree
)

var originWords = words[Origin]{"origin", map[Origin]string{
	OriginUnknown: "unknown", OriginInTree: "in-tree", OriginOutOfTree: "out-of-tree",
}}

// String returns "unknown", "in-tree" or "out-of-tree", and "origin(9)" for another number.
func (o Origin) String() string { return originWords.text(o) }

// MarshalText returns the text of String.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the text of String. An error matches ErrBadValue.
func (o *Origin) UnmarshalText(text []byte) error { return originWords.read(o, text) }

// origin finds out where the driver is from. The kernel knows: it marks each module
// that lacks the mark of those built with it (intree, module_augment_kernel_taints in
// kernel/module/main.c) with the letter O in its file taint. What is built in has no
// such file. Versions tell less: drivers of the kernel tree may have their own, and those
// of vendors show the kernel's where they set none (ethtool_get_drvinfo in net/ethtool/ioctl.c).
func (c *Client) origin(d *Driver) Origin {
	if d.Name == "" || strings.Contains(d.Name, "/") || !fs.ValidPath(d.Name) {
		return OriginUnknown
	}
	dirs := []string{"module/" + strings.ReplaceAll(d.Name, "-", "_")}
	if isPCIAddress(d.Bus) {
		// A driver may name itself otherwise than its module. The other order would
		// find virtio_pci for virtio_net.
		dirs = append(dirs, pciDir(d.Bus)+"/driver/module")
	}
	for _, dir := range dirs {
		switch taint, err := fs.ReadFile(c.t.Sysfs(), dir+"/taint"); {
		case err == nil && strings.Contains(string(taint), "O"):
			return OriginOutOfTree
		case err == nil:
			return OriginInTree
		case !errors.Is(err, fs.ErrNotExist):
			return OriginUnknown
		}
		if info, err := fs.Stat(c.t.Sysfs(), dir); err == nil && info.IsDir() {
			return OriginInTree
		}
	}
	return OriginUnknown
}
