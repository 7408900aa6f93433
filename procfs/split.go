// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"iter"
	"path"
)

// banner is what every text begins with.
var banner = []byte(keys[FieldDriver])

// Split yields the texts of several bonds in one, with their names: what stands
// below lines such as "==> /proc/net/bonding/bond0 <==", which head and tail write, or below
// each banner of the driver. The name is the last part of the path, and empty where there
// is none. What stands before the first banner belongs to its text; what stands before
// the first line of a path is a text of its own, if it is of a bond at all, and is left out otherwise. The texts share
// the memory of p; a text of one bond is yielded as it is.
func Split(p []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var (
			name   string
			start  int
			banned bool // the text has its banner
		)
		for at := 0; at < len(p); {
			end := len(p)
			if i := bytes.IndexByte(p[at:], '\n'); i >= 0 {
				end = at + i + 1
			}
			line := bytes.TrimSpace(p[at:end])
			next, header := headerName(line)
			isBanner := bytes.HasPrefix(line, banner)
			if header || isBanner && banned {
				if body := p[start:at]; banned || name != "" || header && isBond(body) {
					// The blank line before a header is that of head.
					if header {
						body = bytes.TrimSuffix(body, []byte{'\n'})
						if n := len(body); n > 0 && body[n-1] != '\n' {
							body = p[start : start+n+1]
						}
					}
					if !yield(name, body) {
						return
					}
					start = at
				}
				name, banned = "", false
				if header {
					name = next
					start = end
				}
			}
			banned = banned || isBanner
			at = end
		}
		if start < len(p) || name != "" {
			yield(name, p[start:])
		}
	}
}

// isBond reports whether anything in the text is of a bond.
func isBond(p []byte) bool {
	_, err := ParseBytes(p)
	return err == nil
}

// headerName returns the name in a line "==> PATH <==".
func headerName(line []byte) (string, bool) {
	line, ok1 := bytes.CutPrefix(line, []byte("==> "))
	line, ok2 := bytes.CutSuffix(line, []byte(" <=="))
	if !ok1 || !ok2 || len(line) == 0 {
		return "", false
	}
	return path.Base(string(line)), true
}
