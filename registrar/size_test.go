package registrar

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// maxTombstone is what a tombstone takes at the most, in bytes.
const maxTombstone = 350

func TestTombstonesAreSmall(t *testing.T) {
	for _, long := range []bool{false, true} {
		t.Run("R2 a tombstone knows its binding again without its text", func(t *testing.T) {
			contact, callID := "sip:bob@192.0.2.201;transport=tcp", "one"
			if long {
				contact += ";pn=" + strings.Repeat("x", 900)
				callID = strings.Repeat("c", maxCallID)
			}
			d := newDesk(t, Config{})
			register := d.request([]string{"Call-ID: " + callID, "CSeq: 1 REGISTER", "Contact: <" + contact + ">;+sip.instance=\"<" + strings.Repeat("i", 500) + ">\""})
			remove := d.request([]string{"Call-ID: x" + callID[1:], "CSeq: 1 REGISTER", "Contact: <" + contact + ">;expires=0"})
			older := d.request([]string{"Call-ID: " + callID, "CSeq: 1 REGISTER", "Contact: <" + contact + ">"})
			d.send(register)
			d.send(remove)
			removed := string(d.reg.Response)
			if b := d.decode().Bindings; len(b) != 1 || !b[0].Removed || len(d.record) > maxTombstone {
				t.Fatalf("%d bytes are kept of %+v", len(d.record), b)
			}
			before := bytes.Clone(d.record)
			for _, again := range []struct {
				text   []byte
				status int
			}{{register, 200}, {remove, 200}, {older, 500}} {
				if d.send(again.text); d.reg.Status != again.status || !bytes.Equal(d.record, before) {
					t.Errorf("what comes late gets %s", d.reg.Response)
				}
			}
			if d.send(remove); string(d.reg.Response) != removed {
				t.Errorf("its retransmission gets\n%s\nwant\n%s", d.reg.Response, removed)
			}
			d.send(d.request([]string{"Call-ID: " + callID, "CSeq: 2 REGISTER", "Contact: <" + contact + ">"}))
			if b := d.decode().Bindings; d.reg.Status != 200 || len(b) != 1 || b[0].Removed || string(b[0].Contact) != contact {
				t.Errorf("when the phone comes back: %s\n%+v", d.reg.Response, b)
			}
		})
	}
}

// A phone that removes what it has just registered, over and over, with all the bytes that it may send.
func TestTombstonesAreBounded(t *testing.T) {
	t.Run("R2 what is removed leaves little", func(t *testing.T) {
		d := newDesk(t, Config{})
		x := location.NewMemory()
		for i := range 3 * location.MaxTombstones {
			for _, expires := range []string{"3600", "0"} {
				text := d.request([]string{fmt.Sprintf("Call-ID: %s%d%s", strings.Repeat("c", 250), i, expires),
					fmt.Sprintf("Contact: <sip:%d@h;%s>;expires=%s;x=%s", i, strings.Repeat("x", 1000), expires, strings.Repeat("y", 1000))})
				var m sip.Message
				var req sip.Request
				if err := m.Parse(text); err != nil {
					t.Fatal(err)
				}
				if err := req.Decode(&m); err != nil {
					t.Fatal(err)
				}
				if !d.registrar.Prepare(&d.reg, noon, &req, bobFlow, toTag, uint64(i)) {
					t.Fatalf("%s", d.reg.Response)
				}
				if _, err := x.Update(noon, []byte("bob@h"), &d.reg, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := x.Stats().Records; got > location.MaxTombstones*maxTombstone {
			t.Errorf("the record has %d bytes", got)
		}
	})
}

func TestRecordIsBounded(t *testing.T) {
	fat := func(i int) []string {
		return []string{fmt.Sprintf("Contact: <sip:%d@h;x=%s>;y=%s", i, strings.Repeat("x", 900), strings.Repeat("y", 900))}
	}
	t.Run("R2 a record has an end", func(t *testing.T) {
		d := newDesk(t, Config{})
		n := 0
		for d.reg.Status != 500 && n < 20 {
			d.send(d.request(fat(n)))
			n++
		}
		if d.reg.Status != 500 || d.reg.Reason != ReasonTooLarge || n < 4 || n > DefaultMaxContacts || len(d.record) > 10*recordShare {
			t.Errorf("%d fat bindings make %d bytes, and\n%s", n, len(d.record), d.reg.Response)
		}
		if d.send(d.request(fat(0))); d.reg.Status != 200 {
			t.Errorf("a refresh gets\n%s", d.reg.Response)
		}
		d.send(d.request([]string{"Contact: <sip:0@h;x=" + strings.Repeat("x", 900) + ">;expires=0"}))
		if d.send(d.request(fat(n))); d.reg.Status != 200 {
			t.Errorf("when there is room again:\n%s", d.reg.Response)
		}
	})
	t.Run("R2 ten phones with push parameters fit", func(t *testing.T) {
		d := newDesk(t, Config{})
		for i := range DefaultMaxContacts {
			d.send(d.request([]string{"Supported: path, outbound", "Path: <sip:edge.example.com;lr;token=" + strings.Repeat("t", 100) + ">",
				"User-Agent: " + strings.Repeat("a", 60), fmt.Sprintf("Call-ID: %040d", i),
				fmt.Sprintf("Contact: <sip:bob%d@192.0.2.1;pn-prid=%s>;+sip.instance=\"<urn:uuid:%d>\";f=%s", i, strings.Repeat("p", 500), i, strings.Repeat("f", 300))}))
			if d.reg.Status != 200 {
				t.Fatalf("phone %d gets\n%s", i, d.reg.Response)
			}
		}
	})
	t.Run("R2 a record of before the limit is refreshed and becomes smaller", func(t *testing.T) {
		d := newDesk(t, Config{MaxContacts: 100})
		for i := range 12 {
			d.send(d.request(fat(i)))
		}
		d.registrar = New(Config{})
		for _, c := range []struct {
			lines []string
			want  int
		}{
			{fat(3), 200},
			{fat(50), 500},
			{[]string{"Contact: <sip:3@h;x=" + strings.Repeat("x", 900) + ">;expires=0"}, 200},
			{[]string{"Contact: <sip:50@h>, <sip:4@h;x=" + strings.Repeat("x", 900) + ">;expires=0"}, 200},
		} {
			if d.send(d.request(c.lines)); d.reg.Status != c.want {
				t.Errorf("%.30q gets\n%s", c.lines, d.reg.Response)
			}
		}
	})
}

func TestAnswerFitsDatagram(t *testing.T) {
	t.Run("R2 a list that no datagram carries is refused", func(t *testing.T) {
		d := newDesk(t, Config{MaxContacts: 200})
		at := 0
		for d.reg.Status != 500 && at < 200 {
			at++
			d.now = d.now.Add(time.Second)
			d.send(d.request([]string{fmt.Sprintf("Contact: <sip:%d@h;x=%s>", at, strings.Repeat("x", 1000))}))
		}
		if d.reg.Reason != ReasonTooLarge || len(d.decode().Bindings) != at-1 || at < 40 {
			t.Errorf("%d contacts get %s", at, d.reg.Response)
		}
		if d.send(d.request([]string{""})); d.reg.Status != 200 || len(d.reg.Response) > maxDatagram {
			t.Errorf("the list of those before has %d bytes", len(d.reg.Response))
		}
	})
}

func TestGoneMakesRoom(t *testing.T) {
	t.Run("P1 what has no connection any more does not count in the size of the record", func(t *testing.T) {
		d := newDesk(t, Config{})
		for i := range 40 {
			d.flow = sip.Flow{Transport: sip.TCP, Local: bobFlow.Local, Remote: bobFlow.Remote, Serial: uint64(i + 1)}
			d.now = d.now.Add(time.Second)
			d.send(d.request([]string{fmt.Sprintf("Call-ID: %d", i), fmt.Sprintf("Contact: <sip:%d@h;x=%s>;y=%s", i, strings.Repeat("x", 900), strings.Repeat("y", 900))}))
			if d.reg.Status != 200 {
				t.Fatalf("phone %d gets\n%s", i, d.reg.Response)
			}
			d.closed[uint64(i+1)] = true
		}
		d.flow = bobFlow
		d.send(d.request([]string{""}))
		if n := len(d.shown(nil)) - 1; n < 2 || n > DefaultMaxContacts {
			t.Errorf("%d contacts are left", n)
		}
	})
}
