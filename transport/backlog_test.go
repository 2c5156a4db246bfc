package transport

import (
	"slices"
	"strings"
	"testing"
)

func TestBacklog(t *testing.T) {
	l := borrowBacklog()
	defer l.giveBack()
	for _, m := range []string{"one", "two", "three", strings.Repeat("x", 20), "five"} {
		l.add([]byte(m))
	}
	rest := func() (all []string) {
		l.each(func(m []byte) { all = append(all, string(m)) })
		return all
	}
	for _, c := range []struct {
		most  int
		chunk string
		taken int // bytes that a write takes of it
		whole int
		left  string
	}{
		{8, "onetwo", 2, 0, "one two three xxxxxxxxxxxxxxxxxxxx five"},
		{8, "onetwo", 5, 1, "two three xxxxxxxxxxxxxxxxxxxx five"},
		{8, "twothree", 8, 2, "xxxxxxxxxxxxxxxxxxxx five"},
		{8, "xxxxxxxxxxxxxxxxxxxx", 20, 1, "five"}, // one that does not fit goes alone
		{100, "five", 4, 1, ""},
	} {
		if got := string(l.appendTo(nil, 0, l.next(c.most))); got != c.chunk {
			t.Errorf("chunk %q, want %q", got, c.chunk)
		}
		if got := l.took(c.taken); got != c.whole {
			t.Errorf("%d messages of %q in %d bytes, want %d", got, c.chunk, c.taken, c.whole)
		}
		if got := strings.Join(rest(), " "); got != c.left || l.left() != len(rest()) || l.waits() != len(strings.ReplaceAll(c.left, " ", "")) {
			t.Errorf("left %q (%d messages, %d bytes), want %q", got, l.left(), l.size(), c.left)
		}
	}
	if l.held() != 0 || len(l.ends) != 0 {
		t.Errorf("%d bytes are kept of what is gone", l.held())
	}
	large := strings.Repeat("y", 3*readBuffer)
	l.add([]byte(large))
	if got := rest(); !slices.Equal(got, []string{large}) {
		t.Errorf("%d messages left", len(got))
	}
	l.took(len(large))
	l.add([]byte("six"))
	if got := rest(); !slices.Equal(got, []string{"six"}) {
		t.Errorf("left %q", got)
	}
}
