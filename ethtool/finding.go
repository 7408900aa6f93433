// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

// Code says what kind of thing was found. It stays as it is, for programs to go by.
type Code string

// The kinds of findings.
const (
	// CodeDegraded: the device runs in a mode of emergency of its driver: i40e in recovery
	// mode, ice in safe mode.
	CodeDegraded Code = "degraded"
	// CodeUnhealthy: a health reporter of the driver tells of errors that were not recovered.
	CodeUnhealthy Code = "unhealthy"
	// CodeLinkButDown: there is a link, and the bond takes the slave for down.
	CodeLinkButDown Code = "link-but-down"
	// CodeFirmwareMismatch: interfaces of the same model run different firmware.
	CodeFirmwareMismatch Code = "firmware-mismatch"
	// CodeFirmwareUnclear: whether they do cannot be seen, for the text that the driver tells
	// is cut off.
	CodeFirmwareUnclear Code = "firmware-unclear"
	// CodeFirmwarePending: firmware was written into the device, and it does not run it yet.
	CodeFirmwarePending Code = "firmware-pending"
	// CodeFlagSkew: a private flag is on for some slaves of a bond and off for others
	// with the same driver.
	CodeFlagSkew Code = "flag-skew"
	// CodePCIeBelow: a device is connected with a lower speed or fewer lanes than it could.
	CodePCIeBelow Code = "pcie-below-maximum"
	// CodeDriverMix: some slaves of a bond have a driver of the kernel, others one from elsewhere.
	CodeDriverMix Code = "driver-mix"
	// CodeSharedCard: slaves of one bond are on the same card, which may fail as a whole.
	CodeSharedCard Code = "shared-card"
)

// Severity says how bad a finding is.
type Severity uint8

// The severities. The zero Severity is none of them.
const (
	// SeverityInfo: worth knowing.
	SeverityInfo Severity = iota + 1
	// SeverityWarning: it may not work when it is needed.
	SeverityWarning
	// SeverityError: it does not work now.
	SeverityError
)

var severityWords = words[Severity]{"severity", map[Severity]string{
	SeverityInfo: "info", SeverityWarning: "warning", SeverityError: "error",
}}

// String returns "info", "warning" or "error", and severity(9) for another number.
func (s Severity) String() string { return severityWords.text(s) }

// MarshalText returns the String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText returns. The error matches ErrBadValue.
func (s *Severity) UnmarshalText(text []byte) error { return severityWords.read(s, text) }

// Finding is one thing that is wrong, or worth knowing.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	// Bond is the bond in which it is so, zero where it has nothing to do with a bond.
	Bond Link `json:"bond,omitzero"`
	// Links are the interfaces concerned, sorted by name.
	Links []Link `json:"links"`
	// Text says in a sentence what was found, and Hint what to do about it.
	Text string `json:"text"`
	Hint string `json:"hint,omitzero"`
}

// String returns "SEVERITY CODE: TEXT (HINT)".
func (f Finding) String() string {
	s := f.Severity.String() + " " + string(f.Code) + ": " + f.Text
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return s
}
