// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/bondkit/bondkit/bond"
)

// confWorld is one namespace of a real or of a made kernel, in which the cases
// of the conformance tests run. What happens is written to a log, so that two kernels can be
// compared by their logs. All indexes and addresses are chosen here, so that they are
// the same in both.
type confWorld struct {
	t   *testing.T
	tr  bond.Transport
	log []string
	// knows says which options the kernel has.
	knows func(bond.Option) bool

	// bond is the index of the bond under test. Each has a new one.
	bond int
	next int
	// alone says that the bond has no slaves, and so there are none to read.
	alone bool
}

// The interfaces that are there from the beginning are dummies with the indexes
// confDummy+1 and so on, the names d1, d2..., and the addresses 02:00:00:00:01:01...
const (
	confDummy   = 100
	confDummies = 4
	confMissing = 9999

	confNewLink, confDelLink, confGetLink, confSetLink = 16, 17, 18, 19
	confExcl, confCreate, confReplace                  = 1 << 9, 1 << 10, 1 << 8
	confDump                                           = 1<<8 | 1<<9

	confAddress, confName, confMTU, confMaster, confInfo = 1, 3, 4, 10, 18
	confMask, confQueues, confCarrier                    = 29, 31, 33
	confKind, confData, confSlaveData                    = 1, 2, 5
)

func confMAC(i int) []byte { return []byte{2, 0, 0, 0, 1, byte(i)} }

// confAttr is one netlink attribute, nested ones included.
func confAttr(typ int, data ...[]byte) []byte {
	all := slices.Concat(data...)
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(all)))
	b = binary.NativeEndian.AppendUint16(b, uint16(typ))
	b = append(b, all...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func confU32(v int) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(v)) }

// confBody is struct ifinfomsg with attributes.
func confBody(index int, flags, change uint32, attrs ...[]byte) []byte {
	b := make([]byte, 4)
	b = binary.NativeEndian.AppendUint32(b, uint32(index))
	b = binary.NativeEndian.AppendUint32(b, flags)
	b = binary.NativeEndian.AppendUint32(b, change)
	return append(b, slices.Concat(attrs...)...)
}

// confBondInfo is IFLA_LINKINFO of a bond with the options.
func confBondInfo(options ...[]byte) []byte {
	kind := confAttr(confKind, []byte("bond"))
	if len(options) == 0 {
		return confAttr(confInfo, kind)
	}
	return confAttr(confInfo, kind, confAttr(confData, options...))
}

// confOpt is one option of a bond with a number.
func confOpt(opt bond.Option, v int64) []byte {
	b := binary.NativeEndian.AppendUint64(nil, uint64(v))
	info := opt.Info()
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return confAttr(int(info.Attr), b[:info.Size])
	}
	return confAttr(int(info.Attr), b[8-info.Size:])
}

// confList is one list of addresses.
func confList(opt bond.Option, addrs ...[]byte) []byte {
	var list []byte
	for i, a := range addrs {
		list = append(list, confAttr(i, a)...)
	}
	return confAttr(int(opt.Info().Attr), list)
}

func confIP(s string) []byte {
	ip := net.ParseIP(s)
	if v4 := ip.To4(); v4 != nil {
		return v4
	}
	return ip
}

func newConfWorld(t *testing.T, tr bond.Transport, knows func(bond.Option) bool) *confWorld {
	t.Helper()
	w := &confWorld{t: t, tr: tr, knows: knows, next: 1000}
	for i := 1; i <= confDummies; i++ {
		w.must(confNewLink, confCreate|confExcl, confBody(confDummy+i, 0, 0,
			confAttr(confName, fmt.Appendf(nil, "d%d\x00", i)), confAttr(confAddress, confMAC(i)),
			confAttr(confInfo, confAttr(confKind, []byte("dummy")))))
	}
	return w
}

// do sends a request and returns the kernel's error, nil for none.
func (w *confWorld) do(typ uint16, flags uint16, body []byte) *bond.KernelError {
	w.t.Helper()
	_, err := w.tr.Do(w.t.Context(), bond.Message{Type: typ, Flags: flags, Data: body})
	if err == nil {
		return nil
	}
	ke, ok := errors.AsType[*bond.KernelError](err)
	if !ok {
		w.t.Fatalf("request of type %d: %v, want an answer of the kernel", typ, err)
	}
	return ke
}

func (w *confWorld) must(typ uint16, flags uint16, body []byte) {
	w.t.Helper()
	if err := w.do(typ, flags, body); err != nil {
		w.t.Fatalf("preparing: request of type %d: %v %q", typ, err, err.Message)
	}
}

// confAnswer is an answer for the log, with the option that the offset means.
func confAnswer(body []byte, ke *bond.KernelError) string {
	if ke == nil {
		return "ok"
	}
	s := confErrno(ke.Errno)
	if ke.Message != "" {
		s += fmt.Sprintf(" %q", ke.Message)
	}
	if ke.Offset != 0 {
		s += fmt.Sprintf(" at %s", confAt(body, ke.Offset))
	}
	return s
}

// confAt names the attribute at an offset by its type and those it is inside.
func confAt(body []byte, offset int) string {
	var path []string
	b, base := body[16:], 32
	for len(b) >= 4 {
		n := int(binary.NativeEndian.Uint16(b))
		typ := binary.NativeEndian.Uint16(b[2:]) & 0x3fff
		aligned := min((n+3)&^3, len(b))
		if n < 4 || offset < base {
			break
		}
		if offset == base {
			return strings.Join(append(path, fmt.Sprint(typ)), ".")
		}
		if offset < base+aligned {
			path = append(path, fmt.Sprint(typ))
			b, base = b[4:n], base+4
			continue
		}
		b, base = b[aligned:], base+aligned
	}
	return fmt.Sprint("offset ", offset)
}

// confErrno is the name of an error number, which differs between systems.
func confErrno(e syscall.Errno) string {
	names := map[syscall.Errno]string{
		syscall.EPERM: "EPERM", syscall.EACCES: "EACCES", syscall.EBUSY: "EBUSY", syscall.EINVAL: "EINVAL",
		syscall.ENODEV: "ENODEV", syscall.ENOTEMPTY: "ENOTEMPTY", syscall.ERANGE: "ERANGE",
		syscall.EOPNOTSUPP: "EOPNOTSUPP", syscall.EEXIST: "EEXIST", syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL",
	}
	if s, ok := names[e]; ok {
		return s
	}
	return e.Error()
}

// change sends a change and writes the answer and what the bond is then to the log.
func (w *confWorld) change(what string, typ, flags uint16, body []byte) *bond.KernelError {
	w.t.Helper()
	ke := w.do(typ, flags, body)
	w.log = append(w.log, what+": "+confAnswer(body, ke)+"\n    "+w.read().String())
	return ke
}

// set sets options of the bond under test.
func (w *confWorld) set(what string, options ...[]byte) *bond.KernelError {
	w.t.Helper()
	return w.change(what, confNewLink, 0, confBody(w.bond, 0, 0, confBondInfo(options...)))
}

// setSlave sets options of a dummy.
func (w *confWorld) setSlave(what string, i int, options ...[]byte) *bond.KernelError {
	w.t.Helper()
	return w.change(what, confNewLink, 0, confBody(confDummy+i, 0, 0, confAttr(confInfo, confAttr(confSlaveData, options...))))
}

func (w *confWorld) up(what string, index int, up bool) *bond.KernelError {
	w.t.Helper()
	flags := uint32(0)
	if up {
		flags = bond.FlagUp
	}
	return w.change(what, confNewLink, 0, confBody(index, flags, bond.FlagUp))
}

func (w *confWorld) master(what string, i, master int) *bond.KernelError {
	w.t.Helper()
	return w.change(what, confNewLink, 0, confBody(confDummy+i, 0, 0, confAttr(confMaster, confU32(master))))
}

// create makes the bond under test, a new one.
func (w *confWorld) create(what string, options ...[]byte) *bond.KernelError {
	w.t.Helper()
	w.next++
	w.bond = w.next
	return w.change(what, confNewLink, confCreate|confExcl, confBody(w.bond, 0, 0,
		confAttr(confName, fmt.Appendf(nil, "t%d\x00", w.bond)), confBondInfo(options...)))
}

// clear deletes the bond under test and leaves the dummies as they were.
func (w *confWorld) clear() {
	w.t.Helper()
	if w.bond != 0 {
		if err := w.do(confDelLink, 0, confBody(w.bond, 0, 0)); err != nil && err.Errno != syscall.ENODEV {
			w.t.Fatal(err)
		}
		w.bond = 0
	}
}

// confState is what the kernel says about a bond and its slaves, by attribute in
// hexadecimal, without what changes by itself.
type confState struct {
	bond   map[int]string
	slaves map[int]string
	body   []byte
	slave  [][]byte
}

// confVolatile are the attributes that depend on time: the aggregator, and of a slave what
// LACP says.
var confVolatile = []int{int(bond.OptionADInfo)}

var confSlaveVolatile = []int{6, 7, 8, 11, 12}

func (w *confWorld) read() confState {
	w.t.Helper()
	var s confState
	if w.bond == 0 {
		return s
	}
	mask := confAttr(confMask, confU32(8))
	replies, err := w.tr.Do(w.t.Context(), bond.Message{Type: confGetLink, Data: confBody(w.bond, 0, 0, mask)})
	if errors.Is(err, syscall.ENODEV) {
		return s
	}
	if err != nil || len(replies) != 1 {
		w.t.Fatalf("reading the bond: %d replies, %v", len(replies), err)
	}
	s.body = replies[0].Data
	s.bond = confMap(confInside(s.body, confInfo, confData), confVolatile)
	mode := s.bond[int(bond.OptionMode)]
	if w.alone {
		return s
	}
	dump := confBody(0, 0, 0, mask, confAttr(confMaster, confU32(w.bond)))
	replies, err = w.tr.Do(w.t.Context(), bond.Message{Type: confGetLink, Flags: confDump, Data: dump})
	if err != nil {
		w.t.Fatalf("reading the slaves: %v", err)
	}
	s.slaves = map[int]string{}
	for _, r := range replies {
		index := int(binary.NativeEndian.Uint32(r.Data[4:]))
		if !slices.Equal(confFind(r.Data, confMaster), confU32(w.bond)) {
			continue
		}
		m := confMap(confInside(r.Data, confInfo, confSlaveData), confSlaveVolatile)
		if mode == "04" {
			delete(m, 1) // depends on LACP
			delete(m, 2)
		}
		up := binary.NativeEndian.Uint32(r.Data[8:])&bond.FlagUp != 0
		s.slaves[index] = fmt.Sprintf("up=%v mac=%s mtu=%d %s", up, confMACName(confFind(r.Data, confAddress)),
			binary.NativeEndian.Uint32(confFind(r.Data, confMTU)), confMapString(m))
		s.slave = append(s.slave, r.Data)
	}
	return s
}

// confMACName is the name of the interface whose address that was.
func confMACName(mac []byte) string {
	for i := 1; i <= confDummies; i++ {
		if string(mac) == string(confMAC(i)) {
			return fmt.Sprint("d", i)
		}
	}
	if len(mac) == 6 && mac[0] == 2 && mac[1] == 1 {
		return hex.EncodeToString(mac)
	}
	return "random"
}

// confFind returns the first attribute of a type in a message, nil for none.
func confFind(body []byte, typ int) []byte {
	for t, data := range confEach(body[16:]) {
		if t == typ {
			return data
		}
	}
	return nil
}

// confInside returns an attribute that is inside another one of a message.
func confInside(body []byte, outer, inner int) []byte {
	for typ, data := range confEach(confFind(body, outer)) {
		if typ == inner {
			return data
		}
	}
	return nil
}

// confEach walks over attributes.
func confEach(b []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for len(b) >= 4 {
			n := int(binary.NativeEndian.Uint16(b))
			if n < 4 || n > len(b) || !yield(int(binary.NativeEndian.Uint16(b[2:])&0x3fff), b[4:n]) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

func confMap(data []byte, without []int) map[int]string {
	m := map[int]string{}
	for typ, v := range confEach(data) {
		if !slices.Contains(without, typ) {
			m[typ] = hex.EncodeToString(v)
		}
	}
	return m
}

func confMapString(m map[int]string) string {
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d=%s", k, m[k])
	}
	return b.String()
}

// String has everything.
func (s confState) String() string {
	if s.body == nil {
		return "no bond"
	}
	flags := binary.NativeEndian.Uint32(s.body[8:])
	var b strings.Builder
	fmt.Fprintf(&b, "up=%v mac=%s mtu=%d %s", flags&bond.FlagUp != 0, confMACName(confFind(s.body, confAddress)),
		binary.NativeEndian.Uint32(confFind(s.body, confMTU)), confMapString(s.bond))
	for _, index := range slices.Sorted(maps.Keys(s.slaves)) {
		fmt.Fprintf(&b, " | %d: %s", index, s.slaves[index])
	}
	return b.String()
}

// diff says what is different in another state, in the order of the attributes.
func (s confState) diff(to confState) string {
	var b strings.Builder
	keys := map[int]bool{}
	for k := range s.bond {
		keys[k] = true
	}
	for k := range to.bond {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if s.bond[k] != to.bond[k] {
			fmt.Fprintf(&b, " %d:%s>%s", k, s.bond[k], to.bond[k])
		}
	}
	for _, index := range slices.Sorted(maps.Keys(s.slaves)) {
		if s.slaves[index] != to.slaves[index] {
			fmt.Fprintf(&b, " slave %d: %s > %s", index, s.slaves[index], to.slaves[index])
		}
	}
	return b.String()
}

// state is what Validate is told.
func (w *confWorld) state(s confState) *bond.State {
	w.t.Helper()
	st := &bond.State{Bond: &bond.Bond{}}
	if err := st.Bond.Decode(s.body); err != nil {
		w.t.Fatal(err)
	}
	for _, body := range s.slave {
		var sl bond.Slave
		if err := sl.Decode(body); err != nil {
			w.t.Fatal(err)
		}
		st.Slaves = append(st.Slaves, sl)
	}
	for i := 1; i <= confDummies; i++ {
		if slices.ContainsFunc(st.Slaves, func(s bond.Slave) bool { return s.Index == confDummy+i }) {
			continue
		}
		replies, err := w.tr.Do(context.Background(), bond.Message{Type: confGetLink, Data: confBody(confDummy+i, 0, 0)})
		if err != nil || len(replies) != 1 {
			w.t.Fatalf("reading d%d: %v", i, err)
		}
		var l bond.LinkInfo
		if err := l.Decode(replies[0].Data); err != nil {
			w.t.Fatal(err)
		}
		st.Links = append(st.Links, l)
	}
	return st
}

func confHex(b []byte) string { return hex.EncodeToString(b) }

// confLinkString is what is said of an interface whatever it is.
func confLinkString(body []byte) string {
	const fixed = bond.FlagUp | 1<<1 | 1<<7 | 1<<10 | 1<<11 | 1<<12 // up, broadcast, noarp, master, slave, multicast
	return fmt.Sprintf("flags=%#x mac=%s mtu=%d master=%x", binary.NativeEndian.Uint32(body[8:])&fixed,
		confMACName(confFind(body, confAddress)), binary.NativeEndian.Uint32(confFind(body, confMTU)), confFind(body, confMaster))
}
