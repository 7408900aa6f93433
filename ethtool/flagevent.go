// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

// FlagEventKind says what a [FlagEvent] is about.
type FlagEventKind uint8

// The kinds of events.
const (
	// FlagsAdded: Link is new, or was there when watching began.
	FlagsAdded FlagEventKind = iota + 1
	// FlagsRemoved: Link is gone.
	FlagsRemoved
	// FlagsRenamed: Link has a new name; OldName is the one before.
	FlagsRenamed
	// FlagsChanged: the flags Changed are not what they were.
	FlagsChanged
	// FlagsSynced: all that was there when watching began has been told.
	FlagsSynced
	// FlagsResynced: notifications were lost. Everything was read anew, and the differences
	// have been told as the events before this one.
	FlagsResynced
)

var flagEventWords = words[FlagEventKind]{"event", map[FlagEventKind]string{
	FlagsAdded: "added", FlagsRemoved: "removed", FlagsRenamed: "renamed", FlagsChanged: "changed",
	FlagsSynced: "synced", FlagsResynced: "resynced",
}}

// String returns "added", "removed", "renamed", "changed", "synced" or "resynced".
func (k FlagEventKind) String() string { return flagEventWords.text(k) }

// MarshalText returns the String.
func (k FlagEventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText returns. The error matches ErrBadValue.
func (k *FlagEventKind) UnmarshalText(text []byte) error { return flagEventWords.read(k, text) }

// FlagEvent is one change that [Client.Watch] tells. Its memory belongs to the receiver.
type FlagEvent struct {
	Kind FlagEventKind `json:"kind"`
	// Link is the interface it is about, zero for FlagsSynced and FlagsResynced.
	Link Link `json:"link,omitzero"`
	// OldName is the name before a rename.
	OldName string `json:"old_name,omitzero"`
	// Flags are the flags after the change, empty for a driver that has none; where the interface is
	// gone, the last ones.
	Flags Flags `json:"flags,omitzero"`
	// Changed are the flags that changed, in the driver's order, and then those that the
	// driver does not have any more.
	Changed []FlagChange `json:"changed,omitzero"`
}

// FlagChange is the change of one flag.
type FlagChange struct {
	Name string `json:"name"`
	// Old and New say whether it was on, and is. Both false, it is one that appeared or
	// vanished while it was off.
	Old bool `json:"old"`
	New bool `json:"new"`
	// Appeared and Vanished say that the driver did not have it before, or does not have it now.
	Appeared bool `json:"appeared,omitzero"`
	Vanished bool `json:"vanished,omitzero"`
}

// flagChanges compares the flags of one interface.
func flagChanges(old, now Flags) []FlagChange {
	var changes []FlagChange
	for _, f := range now {
		was, had := old.Get(f.Name)
		if !had || was != f.On {
			changes = append(changes, FlagChange{Name: f.Name, Old: was, New: f.On, Appeared: !had})
		}
	}
	for _, f := range old {
		if _, has := now.Get(f.Name); !has {
			changes = append(changes, FlagChange{Name: f.Name, Old: f.On, Vanished: true})
		}
	}
	return changes
}
