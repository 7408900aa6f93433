// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bondkit/bondkit/ethtool"
	"github.com/bondkit/bondkit/ethtool/ethtooltest"
)

func TestWatchErrors(t *testing.T) {
	t.Run("client closed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			r := watch(t, k, time.Second)
			if err := r.c.Close(); err != nil {
				t.Error(err)
			}
			<-r.done
			if !errors.Is(r.err, os.ErrClosed) || k.Subscriptions() != 0 {
				t.Errorf("%v, %d subscriptions", r.err, k.Subscriptions())
			}
		})
	})
	t.Run("garbage in an answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			r := watch(t, k, -1)
			k.Mangle(func(call ethtooltest.Call, b []byte) []byte {
				if call.Name == "ETHTOOL_MSG_PRIVFLAGS_GET" {
					return b[:len(b)-2]
				}
				return b
			})
			r.do(k.SetFlag("eth0", "veb-stats", true))
			<-r.done
			if _, ok := errors.AsType[*ethtool.Error](r.err); !ok || !errors.Is(r.err, ethtool.ErrMalformed) {
				t.Errorf("%v", r.err)
			}
			r.released()
		})
	})
	t.Run("garbage in a notification", func(t *testing.T) {
		for family, m := range map[string]ethtool.Message{
			ethtool.FamilyEthtool: {Command: 15, Attrs: []byte{1, 2, 3}},
			ethtool.FamilyRoute:   {Command: 16, Attrs: []byte{1}},
		} {
			synctest.Test(t, func(t *testing.T) {
				k := watchHost("")
				r := watch(t, k, -1)
				r.want("added eth0/2", "added eth1/3", "synced")
				r.do(k.SetFlagByIoctl("eth0", "veb-stats", true))
				k.Send(family, m)
				r.want("changed eth0/2 veb-stats:false>true", "resynced")
				r.end()
			})
		}
	})
	t.Run("others' notifications", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			r := watch(t, k, -1)
			k.ResetRequests()
			k.Send(ethtool.FamilyEthtool, ethtool.Message{Command: 13})
			k.Send(ethtool.FamilyRoute, ethtool.Message{Command: 16, Attrs: append([]byte{7}, make([]byte, 15)...)})
			r.want("added eth0/2", "added eth1/3", "synced")
			if n := len(k.Requests()); n != 0 {
				t.Errorf("%d requests", n)
			}
			r.end()
		})
	})
	t.Run("a request that hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			r := watch(t, k, -1)
			r.want("added eth0/2", "added eth1/3", "synced")
			k.Hang(func(call ethtooltest.Call) bool { return call.Name == "ETHTOOL_MSG_PRIVFLAGS_GET" })
			r.do(k.SetFlag("eth0", "veb-stats", true))
			watchPass(15 * time.Second) // the bound of a request
			k.Hang(nil)
			watchPass(2 * time.Second)
			r.want("changed eth0/2 veb-stats:false>true")
			r.end()
		})
	})
	t.Run("an error of the kernel", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			k.Fail(func(call ethtooltest.Call) error {
				if call.Dump {
					return &ethtool.KernelError{Errno: syscall.ENOMEM}
				}
				return nil
			})
			r := watch(t, k, -1)
			<-r.done
			if !errors.Is(r.err, syscall.ENOMEM) || !strings.HasPrefix(r.err.Error(), "ethtool: watch: ") {
				t.Errorf("%v", r.err)
			}
			r.released()
		})
	})
}

// TestWatchOneFails has a driver that answers with an error, which the others do not suffer from.
func TestWatchOneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := watchHost("")
		broken := k.Link("eth0").Index
		k.Fail(func(call ethtooltest.Call) error {
			if call.Name == callGet && (call.Dump || call.Link.Index == broken) {
				return &ethtool.KernelError{Errno: syscall.EIO}
			}
			return nil
		})
		r := watch(t, k, -1)
		r.want("added eth1/3", "synced")
		r.do(k.SetFlag("eth1", "vf-true-promisc-support", true))
		r.want("changed eth1/3 vf-true-promisc-support:false>true")
		k.Fail(nil)
		watchPass(2 * time.Second)
		r.want("added eth0/2")
		r.end()
	})
	t.Run("which was asked for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := watchHost("")
			k.Fail(coreRefusal(callGet, syscall.EIO, ""))
			r := watch(t, k, -1, ethtool.Link{Name: "eth0"})
			<-r.done
			if !errors.Is(r.err, syscall.EIO) {
				t.Errorf("%v", r.err)
			}
			r.released()
		})
	})
}
