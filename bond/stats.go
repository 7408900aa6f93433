// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import "encoding/binary"

// Parts of RTM_NEWSTATS messages, from <linux/if_link.h> and <linux/if_bonding.h>.
const (
	// ifStatsLen is the size of struct if_stats_msg: family, three bytes of
	// padding, index and filter mask.
	ifStatsLen = 12

	iflaStatsLinkXStats      = 2
	iflaStatsLinkXStatsSlave = 3
	linkXStatsTypeBond       = 2
	bondXStats3AD            = 1
)

// Decode reads the body of an RTM_NEWSTATS message about a bond or a slave: struct
// if_stats_msg and attributes, without the netlink header. It replaces everything
// in s and does not allocate. It is not ok where the message has no counters of 802.3ad,
// because the bond has another mode, there is no bond, or the kernel is older than
// 5.1; then s is zero. Counters that the kernel does not tell are 0.
//
// An error matches [ErrMalformed] and leaves s zero.
func (s *Stats) Decode(body []byte) (ok bool, err error) {
	*s = Stats{}
	if len(body) >= ifStatsLen {
		ok, err = s.decodeNest(body[ifStatsLen:], 0)
	} else {
		err = decMalformed(0)
	}
	if err != nil {
		*s = Stats{}
		return false, err
	}
	return ok, nil
}

// decodeNest goes down to the counters, which are three nests deep.
func (s *Stats) decodeNest(data []byte, depth int) (found bool, err error) {
	for rest := data; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			return false, decMalformed(0)
		}
		switch typ &= attrTypeMask; {
		case depth == 0 && (typ == iflaStatsLinkXStats || typ == iflaStatsLinkXStatsSlave),
			depth == 1 && typ == linkXStatsTypeBond:
			ok, err = s.decodeNest(val, depth+1)
			found = found || ok
		case depth == 2 && typ == bondXStats3AD:
			found, err = true, s.decodeCounters(val)
		}
		if err != nil {
			return false, err
		}
	}
	return found, nil
}

// decodeCounters reads the counters. Their numbers begin at 0; the one after the
// last is padding.
func (s *Stats) decodeCounters(data []byte) error {
	counters := [...]*uint64{
		&s.LACPDURx, &s.LACPDUTx, &s.UnknownRx, &s.IllegalRx,
		&s.MarkerRx, &s.MarkerTx, &s.MarkerRespRx, &s.MarkerRespTx, &s.MarkerUnknownRx,
	}
	for rest := data; len(rest) >= attrHeaderLen; {
		var typ uint16
		var val []byte
		var ok bool
		if typ, val, rest, ok = attrNext(rest); !ok {
			return decMalformed(0)
		}
		if typ &= attrTypeMask; int(typ) < len(counters) {
			if len(val) < 8 {
				return decMalformed(0)
			}
			*counters[typ] = binary.NativeEndian.Uint64(val)
		}
	}
	return nil
}
