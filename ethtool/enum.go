// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtool

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// words are the words for the numbers of an enumeration. kind is what an unknown number
// is printed as, as in port(9).
type words[T ~uint8] struct {
	kind string
	word map[T]string
}

func (w *words[T]) text(v T) string {
	if s, ok := w.word[v]; ok {
		return s
	}
	return w.kind + "(" + strconv.Itoa(int(v)) + ")"
}

// read sets *v to what the text means, and leaves it alone where that is nothing.
func (w *words[T]) read(v *T, text []byte) error {
	s := string(text)
	for n, word := range w.word {
		if word == s {
			*v = n
			return nil
		}
	}
	if inner, ok := strings.CutPrefix(s, w.kind+"("); ok {
		if inner, ok = strings.CutSuffix(inner, ")"); ok {
			if n, err := strconv.ParseUint(inner, 10, 8); err == nil {
				*v = T(n)
				return nil
			}
		}
	}
	all := slices.Sorted(maps.Values(w.word))
	return &Error{Op: "parse " + w.kind, Err: fmt.Errorf("%w: %q", ErrBadValue, s), Hint: "one of " + strings.Join(all, ", ")}
}
