package subscriber

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"biloxi/sip"
)

// testCSV keeps the password in the MD5 hash, where a test can see it.
var testCSV = CSV{
	Domain: func(host string) (Domain, bool) {
		return Domain{Name: host, Realm: "realm of " + host}, strings.HasSuffix(host, "example.com")
	},
	Hash: func(user, realm, password string) (h HA1s) {
		h.Set(sip.MD5, []byte(fmt.Sprintf("%-16.16s", password)))
		return h
	},
}

// read plays a file and writes what came of it, a line each.
func read(file string) (got []string) {
	for s, err := range testCSV.Read(strings.NewReader(file)) {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, fmt.Sprintf("%s %s %b %s", s.AOR(), s.Realm, s.HA1s.Has, strings.TrimRight(string(s.HA1s.MD5[:]), " ")))
	}
	return got
}

func TestCSV(t *testing.T) {
	md5, sha256 := strings.Repeat("41", 16), strings.Repeat("ab", 32)
	letters := strings.Repeat("A", 16)
	tests := []struct{ name, file, want string }{
		{"passwords", "bob@biloxi.example.com,zanzibar\nsip:alice@atlanta.example.com,a b \r\n",
			"sip:bob@biloxi.example.com realm of biloxi.example.com 10 zanzibar|sip:alice@atlanta.example.com realm of atlanta.example.com 10 a b"},
		{"hashes", "bob@example.com," + md5 + "," + sha256 + "\nbob@example.com," + md5 + ",\nbob@example.com,," + sha256 + "\nbob@example.com," + md5 + "," + sha256 + "," + sha256,
			"sip:bob@example.com realm of example.com 110 " + letters + "|sip:bob@example.com realm of example.com 10 " + letters +
				"|sip:bob@example.com realm of example.com 100 " + strings.Repeat("\x00", 16) + "|sip:bob@example.com realm of example.com 1110 " + letters},
		{"quotes", `"bob@example.com","a,""b"` + "\n", `sip:bob@example.com realm of example.com 10 a,"b`},
		{"columns", "\ufeffAOR,Password\nbob@example.com,x\n", "sip:bob@example.com realm of example.com 10 x"},
		{"no column line", "bob,x\n", `line 1: invalid subscriber: "bob" is not user@domain`},
		{"a heading of hashes", "AOR,HA1-MD5\nbob@example.com," + md5 + "\ncarol@example.com,secret\n",
			"sip:bob@example.com realm of example.com 10 " + letters + "|line 3: HA1-MD5 is not 32 hex digits (a password with a comma must stand in quotes)"},
		{"columns elsewhere", "\nAOR,password\n", `line 2: invalid subscriber: "AOR" is not user@domain`},
		{"bad lines are passed over", "x\nbob@example.com\nbob@other.example,x\nbob@example.com,\n\n  \nbob@example.com,x",
			`line 1: invalid subscriber: "x" is not user@domain|line 2: no password behind the AOR|line 3: domain "other.example" is not served|` +
				`line 4: the password is empty|sip:bob@example.com realm of example.com 10 x`},
		{"password with a comma", "bob@example.com,secret,sauce\n", "line 1: HA1-MD5 is not 32 hex digits (a password with a comma must stand in quotes)"},
		{"short hash", "bob@example.com," + md5 + "," + md5 + "\n", "line 1: HA1-SHA-256 is not 64 hex digits (a password with a comma must stand in quotes)"},
		{"no hash", "bob@example.com,,\n", "line 1: neither a password nor a hash"},
		{"too many", "bob@example.com,,,,\n", "line 1: more than an AOR and three hashes"},
		{"an open quote spoils its line only", "bob@example.com,\"secret\nalice@example.com,x\n",
			`line 1: quotes that do not match: a field with a quote is written "…""…"|sip:alice@example.com realm of example.com 10 x`},
		{"a long line", "bob@example.com," + strings.Repeat("x", 3*MaxLine) + "\nalice@example.com,x\n" + strings.Repeat("y", MaxLine+1),
			"line 1: longer than 4096 bytes|sip:alice@example.com realm of example.com 10 x|line 3: longer than 4096 bytes"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(read(tt.file), "|"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestCSVReadError(t *testing.T) {
	broken := errors.New("broken")
	var errs []error
	for _, err := range testCSV.Read(iotest.ErrReader(broken)) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || errs[0] != broken {
		t.Errorf("%v", errs)
	}
}

func TestGood(t *testing.T) {
	var bad, good int
	for s, err := range Good(testCSV.Read(strings.NewReader("x\nbob@example.com,x\ny\nalice@example.com,x\n")), func(e *LineError) { bad += e.Line }) {
		if err != nil || s.User == "" {
			t.Fatal(s, err)
		}
		good++
		if good == 2 {
			break
		}
	}
	if bad != 1+3 || good != 2 {
		t.Errorf("bad %d, good %d", bad, good)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("AOR,password\nbob@example.com,x\n\"bob@example.com\",\"a,\"\"b\"\n")
	f.Add("bob@example.com," + strings.Repeat("41", 16) + "," + strings.Repeat("ab", 32) + "\r\n\xef\xbb\xbf")
	f.Fuzz(func(t *testing.T, file string) {
		lines := strings.Split(file, "\n")
		last := 0
		for s, err := range testCSV.Read(strings.NewReader(file)) {
			// The oracle: errors name a line of the file, each once and in order; the rest can be stored.
			if line := (*LineError)(nil); errors.As(err, &line) {
				if line.Line <= last || line.Line > len(lines) {
					t.Fatalf("line %d after %d of %d", line.Line, last, len(lines))
				}
				last = line.Line
			} else if err != nil {
				t.Fatal(err)
			} else if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
