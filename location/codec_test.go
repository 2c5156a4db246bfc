package location

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"testing"

	"biloxi/sip"
)

// typicalBinding is what a phone behind a NAT leaves over UDP.
func typicalBinding(i int, now int64) Binding {
	return Binding{
		Contact:   fmt.Appendf(nil, "sip:user%07d@203.0.113.%d:%d;transport=udp", i, i%250, 1024+i%60000),
		Params:    []byte(`;+sip.ice;methods="INVITE,ACK,CANCEL,BYE"`),
		Q:         maxQ,
		Expires:   now + 3_600_000,
		Writer:    Writer{CallID: fmt.Appendf(nil, "%016x-%08x@203.0.113.9", i*7919, i), CSeq: uint32(1000 + i%5000), Branch: uint64(i) * 0x9e3779b97f4a7c15},
		Granted:   3600,
		Instance:  fmt.Appendf(nil, "<urn:uuid:00000000-0000-1000-8000-%012x>", i),
		RegID:     1,
		Flow:      sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("192.0.2.1:5060"), Remote: netip.MustParseAddrPort("203.0.113.9:40000")},
		UserAgent: []byte("Example Phone X42 4.9.1.11 00a859"),
		Created:   now - 86_400_000,
		Updated:   now,
	}
}

func oddRecord() *Record {
	full := typicalBinding(1, 1_800_000_000_000)
	full.HasQ, full.Q, full.Removed = true, 0, true
	full.Before = Writer{CallID: []byte("x"), CSeq: math.MaxUint32, Branch: math.MaxUint64}
	full.Path = []byte("<sip:a;lr>, <sip:b;lr>")
	full.RegID, full.Granted = math.MaxUint32, math.MaxUint32
	full.Flow = sip.Flow{Transport: sip.WSS, Local: netip.MustParseAddrPort("[fe80::1%eth0]:443"), Remote: netip.MustParseAddrPort("[::ffff:192.0.2.1]:1"), Serial: math.MaxUint64}
	full.Expires, full.Created, full.Updated = math.MinInt64, math.MaxInt64, math.MinInt64
	never := typicalBinding(2, 1)
	never.Expires = Never
	return &Record{Bindings: []Binding{full, {Q: maxQ}, never}}
}

func TestRecordCodec(t *testing.T) {
	now := int64(1_800_000_000_000)
	for name, r := range map[string]*Record{
		"empty":   {},
		"typical": {Bindings: []Binding{typicalBinding(1, now)}},
		"odd":     oddRecord(),
	} {
		b := r.Append([]byte("before"))
		if !bytes.HasPrefix(b, []byte("before")) {
			t.Errorf("%s: Append writes over what is there", name)
		}
		b = b[len("before"):]
		var got Record
		if err := got.Decode(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(got.Bindings) != len(r.Bindings) || len(got.Bindings) > 0 && !reflect.DeepEqual(got.Bindings, r.Bindings) {
			t.Errorf("%s: decoded as %+v\nwant %+v", name, got, *r)
		}
		for n := range b {
			if err := got.Decode(b[:n]); err == nil || len(got.Bindings) != 0 {
				t.Errorf("%s: the first %d of %d bytes: %v, %d bindings", name, n, len(b), err, len(got.Bindings))
			}
		}
		if got.Decode(append(b, 0)) == nil {
			t.Errorf("%s: a byte more is no error", name)
		}
	}
	b := (&Record{Bindings: []Binding{typicalBinding(1, now)}}).Append(nil)
	if len(b) < 250 || len(b) > 300 {
		t.Errorf("a typical record has %d bytes; the budget is stated for 250 to 300", len(b))
	}
	b[0] = codecVersion + 1
	if new(Record).Decode(b) == nil {
		t.Error("a version to come is no error")
	}
}

// FuzzRecord: what can be decoded is encoded in one form only, which means the same, and no cut of it can be
// decoded.
func FuzzRecord(f *testing.F) {
	f.Add((&Record{}).Append(nil))
	f.Add(oddRecord().Append(nil))
	f.Add((&Record{Bindings: []Binding{typicalBinding(1, 1_800_000_000_000)}}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second Record
		if first.Decode(b) != nil {
			if len(first.Bindings) != 0 {
				t.Fatal("bindings of a malformed record")
			}
			return
		}
		for i := range first.Bindings {
			if q := first.Bindings[i].Q; q > maxQ {
				t.Fatalf("q of %d", q)
			}
		}
		encoded := first.Append(nil)
		if err := second.Decode(encoded); err != nil {
			t.Fatalf("own encoding: %v", err)
		}
		if len(first.Bindings) > 0 && !reflect.DeepEqual(first.Bindings, second.Bindings) {
			t.Fatalf("%+v\nbecomes %+v", first, second)
		}
		if again := second.Append(nil); !bytes.Equal(again, encoded) {
			t.Fatalf("%x\nbecomes %x", encoded, again)
		}
		if len(encoded) > 0 && second.Decode(encoded[:len(encoded)-1]) == nil {
			t.Fatal("a cut record can be decoded")
		}
	})
}
