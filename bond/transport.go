// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import "context"

// Message is a netlink message without its header.
type Message struct {
	// Type is the type of the message, such as RTM_NEWLINK (16).
	Type uint16
	// Flags are the flags of the header (NLM_F_). A [Transport] adds NLM_F_REQUEST and
	// NLM_F_ACK itself.
	Flags uint16
	// Data is the body: a structure of fixed size, and attributes.
	Data []byte
}

// Transport carries rtnetlink requests to a kernel. [Dial] makes one for the
// kernel it runs on; package bondtest has a kernel made of memory. A Transport is safe
// for concurrent use.
type Transport interface {
	// Do sends one request and returns what the kernel sent in reply up to the
	// acknowledgement, which it leaves out. The request's memory is not used
	// after Do returned, and the replies' belongs to the caller. The error is a
	// [*KernelError] where the kernel refused, without a Meaning; it matches
	// ErrInterrupted where changes disturbed a dump, the error of ctx where that ended, and
	// os.ErrClosed after Close. When ctx ends the request may or may not have
	// been carried out.
	Do(ctx context.Context, req Message) ([]Message, error)

	// Subscribe has the kernel send what changes in links (RTNLGRP_LINK) from
	// now on.
	Subscribe(ctx context.Context) (Subscription, error)

	// Close releases everything except the Subscriptions.
	Close() error
}

// Subscription receives changes. It is for one goroutine; Close may be called
// from any.
type Subscription interface {
	// Receive waits for messages and returns at least one, or an error. One that
	// matches ErrOverrun says that messages were lost; then everything that was
	// queued up to the loss has been thrown away, and Receive can be called on.
	// Others match the error of ctx, or os.ErrClosed.
	Receive(ctx context.Context) ([]Message, error)

	// Close ends a Receive that waits.
	Close() error
}

// Types, flags and groups of netlink messages, from <linux/netlink.h> and
// <linux/rtnetlink.h>. They are the same on every architecture.
const (
	rtmNewLink  = 16
	rtmDelLink  = 17
	rtmGetLink  = 18
	rtmNewStats = 92
	rtmGetStats = 94

	nlmFlagEcho   = 1 << 3
	nlmFlagDump   = 1<<8 | 1<<9
	nlmFlagExcl   = 1 << 9
	nlmFlagCreate = 1 << 10

	// nlmHeaderLen is the size of struct nlmsghdr. The kernel counts the offset
	// of an attribute at fault from there.
	nlmHeaderLen = 16
)
