// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package main

import "strconv"

// speed is what a network card says of its link.
type speed struct {
	// mbps is 0 where it is not known.
	mbps uint32
	// duplex is full, half, or empty where it is not known.
	duplex string
}

// String returns such as "10 Gbit/s full", or a dash.
func (s speed) String() string {
	var text string
	switch {
	case s.mbps == 0:
		return "-"
	case s.mbps%1000 == 0:
		text = strconv.Itoa(int(s.mbps/1000)) + " Gbit/s"
	case s.mbps > 1000:
		text = strconv.FormatFloat(float64(s.mbps)/1000, 'g', -1, 64) + " Gbit/s"
	default:
		text = strconv.Itoa(int(s.mbps)) + " Mbit/s"
	}
	if s.duplex != "" {
		text += " " + s.duplex
	}
	return text
}
