// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"cmp"
	"fmt"
	"io/fs"
	"testing/fstest"
)

// sysfs is /sys as it is at the time of each Open.
type sysfs struct{ k *Kernel }

// Open implements [fs.FS].
func (s sysfs) Open(name string) (fs.File, error) { return s.tree().Open(name) }

// ReadFile implements [fs.ReadFileFS].
func (s sysfs) ReadFile(name string) ([]byte, error) { return s.tree().ReadFile(name) }

// ReadLink implements [fs.ReadLinkFS].
func (s sysfs) ReadLink(name string) (string, error) { return s.tree().ReadLink(name) }

// Lstat implements [fs.ReadLinkFS].
func (s sysfs) Lstat(name string) (fs.FileInfo, error) { return s.tree().Lstat(name) }

func (s sysfs) tree() fstest.MapFS {
	s.k.mu.Lock()
	defer s.k.mu.Unlock()
	tree := fstest.MapFS{}
	put := func(name, content string) { tree[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o444} }
	link := func(name, target string) {
		tree[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
	}
	for _, n := range s.k.nics {
		if n.Driver != "" && n.Parent != "" {
			taint := ""
			if n.OutOfTree {
				taint = "OE"
				put("module/"+n.Driver+"/version", n.Version+"\n")
			}
			put("module/"+n.Driver+"/taint", taint+"\n")
		}
		p := n.PCI
		if p == nil {
			continue
		}
		dir := "bus/pci/devices/" + p.Address + "/"
		put(dir+"vendor", fmt.Sprintf("%#04x\n", p.Vendor))
		put(dir+"device", fmt.Sprintf("%#04x\n", p.Device))
		put(dir+"subsystem_vendor", fmt.Sprintf("%#04x\n", p.SubVendor))
		put(dir+"subsystem_device", fmt.Sprintf("%#04x\n", p.SubDevice))
		put(dir+"class", "0x020000\n")
		put(dir+"current_link_speed", cmp.Or(p.Speed, "Unknown")+"\n")
		put(dir+"current_link_width", fmt.Sprintf("%d\n", p.Width))
		put(dir+"max_link_speed", cmp.Or(p.MaxSpeed, "Unknown")+"\n")
		put(dir+"max_link_width", fmt.Sprintf("%d\n", p.MaxWidth))
		if n.Driver != "" {
			link(dir+"driver", "../../drivers/"+n.Driver)
			put("bus/pci/drivers/"+n.Driver+"/uevent", "")
		}
		if p.PhysFn != "" {
			link(dir+"physfn", "../"+p.PhysFn)
		}
		for name, content := range p.Files {
			put(dir+name, content)
		}
	}
	return tree
}
