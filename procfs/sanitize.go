// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package procfs

import (
	"bytes"
	"mime/quotedprintable"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// Sanitize undoes what mail, tickets and editors do to a text: a byte order mark and
// UTF-16, line ends of Windows, blanks that do not break, quoted-printable, the marks of a quotation ("> "), the
// fence of a block of code, indentation of all lines, and lists of addresses that were wrapped. It
// does not touch what it does not recognize, and leaves what a kernel printed as it is. p is not changed; the
// result may share its memory.
func Sanitize(p []byte) []byte {
	if strict := (Parser{Strict: true}); strict.Parse(p, new(Bond)) == nil {
		return p // a slave may be called "=20"
	}
	p = fromUTF16(p)
	p = bytes.TrimPrefix(p, []byte("\xef\xbb\xbf"))
	p = bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))
	p = bytes.ReplaceAll(p, []byte("\u00a0"), []byte(" ")) // no name has it
	p = unquotePrintable(p)
	lines := bytes.Split(p, []byte{'\n'})
	lines = slices.DeleteFunc(lines, isFence)
	for unquoteLines(lines) {
	}
	unindent(lines)
	return joinWrapped(lines)
}

// fromUTF16 decodes a text that begins with the mark of UTF-16.
func fromUTF16(p []byte) []byte {
	little := bytes.HasPrefix(p, []byte{0xff, 0xfe})
	if len(p)%2 != 0 || !little && !bytes.HasPrefix(p, []byte{0xfe, 0xff}) {
		return p
	}
	units := make([]uint16, 0, len(p)/2)
	for i := 2; i < len(p); i += 2 {
		a, b := uint16(p[i]), uint16(p[i+1])
		if little {
			a, b = b, a
		}
		units = append(units, a<<8|b)
	}
	var out []byte
	for _, r := range utf16.Decode(units) {
		out = utf8.AppendRune(out, r)
	}
	return out
}

// unquotePrintable decodes quoted-printable, if that is what it is.
func unquotePrintable(p []byte) []byte {
	if !bytes.Contains(p, []byte("=\n")) && !bytes.Contains(p, []byte("=20\n")) && !bytes.Contains(p, []byte("=09")) {
		return p
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(quotedprintable.NewReader(bytes.NewReader(p))); err != nil {
		return p
	}
	return out.Bytes()
}

func isFence(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(line), []byte("```"))
}

// unquoteLines takes one mark of quotation off all lines, if all have one, and
// the blank behind it, if all have that.
func unquoteLines(lines [][]byte) bool {
	marked, blank := false, []byte{' '}
	for _, l := range lines {
		switch {
		case len(l) == 0:
			continue
		case l[0] != '>':
			return false
		case len(l) > 1 && l[1] != ' ':
			blank = nil
		}
		marked = true
	}
	for i, l := range lines {
		if l, ok := bytes.CutPrefix(l, []byte{'>'}); ok {
			lines[i] = bytes.TrimPrefix(l, blank)
		}
	}
	return marked
}

// unindent takes off what all lines with something in them begin with.
func unindent(lines [][]byte) {
	var common []byte
	first := true
	for _, l := range lines {
		text := bytes.TrimLeft(l, " \t")
		if len(text) == 0 {
			continue
		}
		indent := l[:len(l)-len(text)]
		if first {
			common, first = indent, false
		}
		for !bytes.HasPrefix(indent, common) {
			common = common[:len(common)-1]
		}
	}
	if len(common) == 0 {
		return
	}
	for i, l := range lines {
		if rest, ok := bytes.CutPrefix(l, common); ok {
			lines[i] = rest
		} else {
			lines[i] = bytes.TrimLeft(l, " \t") // nothing but blanks
		}
	}
}

// joinWrapped joins the lines. Lists of addresses that end in a comma go on in the next line.
func joinWrapped(lines [][]byte) []byte {
	n := 0
	for _, l := range lines {
		n += len(l) + 1
	}
	out := make([]byte, 0, n)
	wrapped := false
	for i, l := range lines {
		if wrapped {
			out = append(out, ' ')
			l = bytes.TrimLeft(l, " \t")
		}
		out = append(out, l...)
		wrapped = wrapped || bytes.HasPrefix(l, []byte(keys[FieldARPTargets])) || bytes.HasPrefix(l, []byte(keys[FieldNSTargets]))
		wrapped = wrapped && bytes.HasSuffix(l, []byte{','})
		if i < len(lines)-1 && !wrapped {
			out = append(out, '\n')
		}
	}
	return out
}
