// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import "fmt"

// ExtState says why there is no link (ETHTOOL_LINK_EXT_STATE_ in <linux/ethtool.h>).
type ExtState uint8

// The reasons why there is no link.
const (
	ExtStateAutoneg             ExtState = 0
	ExtStateLinkTrainingFailure ExtState = 1
	ExtStateLinkLogicalMismatch ExtState = 2
	ExtStateBadSignalIntegrity  ExtState = 3
	ExtStateNoCable             ExtState = 4
	ExtStateCableIssue          ExtState = 5
	ExtStateEEPROMIssue         ExtState = 6
	ExtStateCalibrationFailure  ExtState = 7
	ExtStatePowerBudgetExceeded ExtState = 8
	ExtStateOverheat            ExtState = 9
	ExtStateModule              ExtState = 10
	ExtStateOTPSpeedViolation   ExtState = 11 // the speed is forbidden by one-time-programmable memory
	ExtStateBMCRequestDown      ExtState = 12 // the management controller holds the link down
)

var extStateWords = words[ExtState]{"state", map[ExtState]string{
	ExtStateAutoneg: "autoneg", ExtStateLinkTrainingFailure: "link training failure",
	ExtStateLinkLogicalMismatch: "link logical mismatch", ExtStateBadSignalIntegrity: "bad signal integrity",
	ExtStateNoCable: "no cable", ExtStateCableIssue: "cable issue", ExtStateEEPROMIssue: "eeprom issue",
	ExtStateCalibrationFailure: "calibration failure", ExtStatePowerBudgetExceeded: "power budget exceeded",
	ExtStateOverheat: "overheat", ExtStateModule: "module", ExtStateOTPSpeedViolation: "otp speed violation",
	ExtStateBMCRequestDown: "bmc request down",
}}

// String returns the kernel's word, such as "no cable", and "state(99)" for a number it does not
// know.
func (s ExtState) String() string { return extStateWords.text(s) }

// MarshalText returns the text of String.
func (s ExtState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text of String. An error matches ErrBadValue.
func (s *ExtState) UnmarshalText(text []byte) error { return extStateWords.read(s, text) }

// substateWords are the words for the substates of a state (ETHTOOL_LINK_EXT_SUBSTATE_ in
// <linux/ethtool.h>).
func substateWords(s ExtState) *words[uint8] {
	w := words[uint8]{kind: "substate"}
	switch s {
	case ExtStateAutoneg:
		w.word = map[uint8]string{
			1: "no partner detected", 2: "ack not received", 3: "next page exchange failed",
			4: "no partner detected during force mode", 5: "fec mismatch during override", 6: "no hcd",
		}
	case ExtStateLinkTrainingFailure:
		w.word = map[uint8]string{
			1: "kr frame lock not acquired", 2: "kr link inhibit timeout",
			3: "kr link partner did not set receiver ready", 4: "remote fault",
		}
	case ExtStateLinkLogicalMismatch:
		w.word = map[uint8]string{
			1: "pcs did not acquire block lock", 2: "pcs did not acquire am lock", 3: "pcs did not get align status",
			4: "fc fec is not locked", 5: "rs fec is not locked",
		}
	case ExtStateBadSignalIntegrity:
		w.word = map[uint8]string{
			1: "large number of physical errors", 2: "unsupported rate", 3: "serdes reference clock lost", 4: "serdes alos",
		}
	case ExtStateCableIssue:
		w.word = map[uint8]string{1: "unsupported cable", 2: "cable test failure"}
	case ExtStateModule:
		w.word = map[uint8]string{1: "cmis module is not in ready state"}
	case ExtStateNoCable, ExtStateEEPROMIssue, ExtStateCalibrationFailure, ExtStatePowerBudgetExceeded, ExtStateOverheat,
		ExtStateOTPSpeedViolation, ExtStateBMCRequestDown: // have none
	}
	return &w
}

// SubstateText returns the kernel's words for Substate, which depend on State, such as "no
// partner detected"; "substate(99)" for a number it does not know, and "" for none.
func (s LinkState) SubstateText() string {
	if !s.HasState || s.Substate == 0 {
		return ""
	}
	return substateWords(s.State).text(s.Substate)
}

// parseSubstate is the inverse of SubstateText.
func parseSubstate(s ExtState, text string) (uint8, error) {
	var v uint8
	if text == "" {
		return 0, nil
	}
	err := substateWords(s).read(&v, []byte(text))
	return v, err
}

// String says in a few words what is known, such as "no link: cable issue, unsupported
// cable".
func (s LinkState) String() string {
	text := "unknown"
	switch {
	case s.Detected:
		text = "link"
	case s.HasDetected:
		text = "no link"
	}
	if s.HasState {
		text += ": " + s.State.String()
		if sub := s.SubstateText(); sub != "" {
			text += ", " + sub
		}
	}
	if s.HasSQI {
		text += fmt.Sprintf(", sqi %d of %d", s.SQI, s.SQIMax)
	}
	return text
}
