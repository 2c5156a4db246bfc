package location

import (
	"math"
	"slices"
	"testing"

	"biloxi/sip"
)

func TestAppendAOR(t *testing.T) {
	for _, test := range []struct{ row, user, domain, want string }{
		{"RG-015", "%62ob", "biloxi.example.com", "bob@biloxi.example.com"},
		{"RG-016", "Bob", "biloxi.example.com", "Bob@biloxi.example.com"},
		{"at", "a%40b", "h", "a@b@h"},
		{"percent", "a%2540", "h", "a%40@h"},
		{"phone", "+1-212-555-1212", "h", "+1-212-555-1212@h"},
	} {
		t.Run(test.row, func(t *testing.T) {
			if got := string(AppendAOR([]byte("x"), []byte(test.user), []byte(test.domain))); got != "x"+test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestSortByQ(t *testing.T) {
	var r Record
	for i, q := range []sip.Q{500, 1000, 0, 500, 1000, 700} {
		r.Bindings = append(r.Bindings, Binding{Q: q, RegID: uint32(i)})
	}
	r.SortByQ()
	var order []uint32
	for _, b := range r.Bindings {
		order = append(order, b.RegID)
	}
	if want := []uint32{1, 4, 5, 0, 3, 2}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestDueSecond(t *testing.T) {
	for ms, want := range map[int64]uint32{
		math.MinInt64: 0, -1: 0, 0: 0, 1: 1, 1000: 1, 1001: 2, 1_800_000_000_000: 1_800_000_000,
		1_800_000_000_001: 1_800_000_001, (noDue - 1) * 1000: noDue - 1, noDue * 1000: noDue, Never: noDue,
	} {
		if got := dueSecond(ms); got != want {
			t.Errorf("dueSecond(%d) = %d, want %d", ms, got, want)
		}
	}
}
