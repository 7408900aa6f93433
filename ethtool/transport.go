// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"context"
	"io/fs"
)

// Families that a Client asks, and groups that it subscribes to. FamilyRoute is
// rtnetlink, for [Transport.Subscribe] only.
const (
	FamilyEthtool = "ethtool"
	FamilyDevlink = "devlink"
	FamilyRoute   = "rtnetlink"

	GroupMonitor = "monitor" // of FamilyEthtool: changes of settings
	GroupLink    = "link"    // of FamilyRoute: RTNLGRP_LINK
)

// Request is one request of generic netlink.
type Request struct {
	// Family is the name of the family, and Command one of its commands.
	Family  string
	Command uint8
	// Dump asks for all objects (NLM_F_DUMP).
	Dump bool
	// Attrs are the attributes, which follow struct genlmsghdr.
	Attrs []byte
}

// Message is one message of generic netlink from the kernel.
type Message struct {
	Command uint8
	// Attrs are the attributes, which follow struct genlmsghdr.
	Attrs []byte
}

// RouteRequest is one request of rtnetlink.
type RouteRequest struct {
	// Type is the type of the message, such as RTM_GETLINK, and Flags those
	// besides NLM_F_REQUEST and NLM_F_ACK.
	Type, Flags uint16
	// Data is what follows struct nlmsghdr.
	Data []byte
}

// Transport carries requests to a kernel. Dial makes one for the kernel it runs
// on; package ethtooltest has a kernel made of memory. A Transport is safe for
// concurrent use.
//
// Where the kernel refused, the error is a [*KernelError] without a Meaning.
// It matches the error of ctx where that ended, and os.ErrClosed after Close.
// When ctx ends the request may or may not have been carried out.
type Transport interface {
	// Generic sends one request of generic netlink and returns what the kernel sent
	// in reply. The error matches ErrKernelTooOld where the kernel has no such
	// family, or the family no such command.
	Generic(ctx context.Context, req Request) ([]Message, error)

	// Route sends one request of rtnetlink and returns the bodies of the
	// replies, without struct nlmsghdr.
	Route(ctx context.Context, req RouteRequest) ([][]byte, error)

	// Ioctl performs SIOCETHTOOL on the interface of that name. data begins with
	// the command, in the byte order of the machine, and is overwritten with the answer.
	Ioctl(ctx context.Context, name string, data []byte) error

	// LinkInfo returns what ETHTOOL_MSG_LINKINFO_GET says.
	LinkInfo(ctx context.Context, link Link) (LinkInfo, error)

	// Subscribe has the kernel send what it multicasts to a group of a family from
	// now on. The error matches ErrKernelTooOld where there is no such family or group. Of
	// FamilyRoute the Command of a Message is its type, such as RTM_NEWLINK, and
	// Attrs are the whole body.
	Subscribe(ctx context.Context, family, group string) (Subscription, error)

	// Sysfs is the tree that is at /sys. Of it only what belongs to no network
	// namespace is read: bus/pci and module.
	Sysfs() fs.FS

	// KernelRelease is what uname -r prints.
	KernelRelease() string

	// Close releases everything except the Subscriptions.
	Close() error
}

// Subscription receives notifications. It is for one goroutine; Close may be called
// from any.
type Subscription interface {
	// Receive waits for messages and returns at least one, or an error. One that
	// matches ErrOverrun says that messages were lost; Receive can be called on then.
	// Others match the error of ctx, or os.ErrClosed.
	Receive(ctx context.Context) ([]Message, error)

	// Close ends a Receive that waits.
	Close() error
}
