// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package bond

// What the tests of the values need from inside.
var ValuesValidateSlave = validateSlave

// ValuesRaw and ValuesSetRaw are raw and setRaw of Options.
func ValuesRaw(o *Options, opt Option) (int64, bool) { return o.raw(opt) }

func ValuesSetRaw(o *Options, opt Option, v int64) { o.setRaw(opt, v) }

// ValuesSlaveRaw and ValuesSetSlaveRaw are raw and setRaw of SlaveOptions.
func ValuesSlaveRaw(o *SlaveOptions, opt Option) (int64, bool) { return o.raw(opt) }

func ValuesSetSlaveRaw(o *SlaveOptions, opt Option, v int64) { o.setRaw(opt, v) }

// ValuesBondRaw and ValuesSetBondRaw are raw and setRaw of Bond.
func ValuesBondRaw(b *Bond, opt Option) int64 { return b.raw(opt) }

func ValuesSetBondRaw(b *Bond, opt Option, v int64) { b.setRaw(opt, v) }

// ValuesReadSlaveRaw and ValuesSetReadSlaveRaw are raw and setRaw of Slave.
func ValuesReadSlaveRaw(s *Slave, opt Option) int64 { return s.raw(opt) }

func ValuesSetReadSlaveRaw(s *Slave, opt Option, v int64) { s.setRaw(opt, v) }

// ValuesSetHas says that the kernel said, or did not say, something about the options.
func ValuesSetHas(b *Bond, has bool, opts ...Option) {
	for _, opt := range opts {
		b.predictHas(opt, has)
	}
}

// ValuesSetSlaveHas is ValuesSetHas for a slave.
func ValuesSetSlaveHas(s *Slave, opts ...Option) {
	for _, opt := range opts {
		s.has |= 1 << (opt - slaveOption)
	}
}

// ValuesPredict returns the bond as Validate expects it to be after the kernel has accepted all of o in
// one message.
func ValuesPredict(s *State, o *Options) Bond {
	p := newPrediction(s)
	for opt := range o.All() {
		p.apply(opt, o)
	}
	p.finish()
	return p.bond
}
