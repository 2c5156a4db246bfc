package sip

import "testing"

func TestCSeq(t *testing.T) {
	t.Run("HD-011", func(t *testing.T) {
		for in, want := range map[string]CSeq{
			"4711 INVITE":           {4711, Invite},
			"0 ACK":                 {0, Ack},
			"0009\r\n  INVITE":      {9, Invite},
			"2147483647 REGISTER":   {MaxCSeq, Register},
			"1 register":            {1, "register"},
			"000000000000001\tX%41": {1, "X%41"},
		} {
			c, err := ParseCSeq([]byte(in))
			if err != nil || c != want {
				t.Errorf("%q: %v, %v", in, c, err)
			}
			cut(in, func(b []byte) { ParseCSeq(b) })
		}
		for in, at := range map[string]int{
			"": 0, "INVITE": 0, "2147483648 INVITE": 0, "4294967296 INVITE": 0, "36893488147419103232 INVITE": 0, "-1 INVITE": 0,
			"1": 1, "1INVITE": 1, "1 ": 2, "1 IN VITE": 4, "1 INVITE;x": 8, "1.0 INVITE": 1,
		} {
			if _, err := ParseCSeq([]byte(in)); offset(err) != at {
				t.Errorf("%q: %v, want offset %d", in, err, at)
			}
		}
	})
}

func FuzzCSeq(f *testing.F) {
	corpusValues(f, []Header{HeaderCSeq}, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCSeq(b)
		if err != nil {
			return
		}
		if again, err := ParseCSeq(c.Append(nil)); err != nil || again != c || c.Number > MaxCSeq {
			t.Fatalf("%q was read as %v, appended and read as %v (%v)", b, c, again, err)
		}
	})
}
