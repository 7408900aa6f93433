// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

//go:build !linux

package lab

import "time"

type tapConn struct{}

func openTap(int) (tapConn, error)            { return tapConn{}, errUnsupported }
func (tapConn) Read(time.Time) (Frame, error) { return Frame{}, errUnsupported }
func (tapConn) Close() error                  { return nil }

type senderConn struct{}

func openSender(int) (senderConn, error) { return senderConn{}, errUnsupported }
func (senderConn) Send([]byte) error     { return errUnsupported }
func (senderConn) Close() error          { return nil }
