// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// enum is what the types with words of the kernel have in common. The number
// is that of the netlink attribute, and as wide as it.
type enum interface{ ~uint8 | ~uint16 | ~uint32 }

// enumString returns the word for v, or kind(v) where the kernel knows one that
// we do not.
func enumString[T enum](kind string, words []string, v T) string {
	if uint64(v) < uint64(len(words)) {
		return words[v]
	}
	return kind + "(" + strconv.FormatUint(uint64(v), 10) + ")"
}

// enumParse reads a word, the number of a word, or kind(N) for any number
// that fits. Where the kernel takes more than one word for a number, others
// has the rest.
func enumParse[T enum](kind string, words []string, others map[string]T, s string) (T, error) {
	if i := slices.Index(words, s); i >= 0 {
		return T(i), nil
	}
	if v, ok := others[s]; ok {
		return v, nil
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil && n < uint64(len(words)) {
		return T(n), nil
	}
	if inner, ok := strings.CutPrefix(s, kind+"("); ok {
		if inner, ok = strings.CutSuffix(inner, ")"); ok {
			n, err := strconv.ParseUint(inner, 10, 64)
			if err == nil && uint64(T(n)) == n {
				return T(n), nil
			}
		}
	}
	return 0, &Error{
		Op: "parse " + kind, Value: s, Err: ErrBadValue,
		Hint: fmt.Sprintf("one of %s, or its number", strings.Join(words, ", ")),
	}
}

// enumUnmarshal sets *v to what the text means, and leaves it alone where that
// is nothing.
func enumUnmarshal[T enum](v *T, text []byte, parse func(string) (T, error)) error {
	n, err := parse(string(text))
	if err != nil {
		return err
	}
	*v = n
	return nil
}
