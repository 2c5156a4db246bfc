package bench

import (
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	s, err := parseStat([]byte("4242 (a) b (c) S 17 4242 4242 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 1 0 100 0 0\n"))
	if err != nil || s.parent != 17 || s.user != 1500*time.Millisecond || s.system != 250*time.Millisecond {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"", "1 (a) S 2", "1 (a) S x 1 1 0 -1 4194560 1 2 3 4 150 25 0"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestParsePSS(t *testing.T) {
	text := "5577c000-7ffd rollup\nRss:  8 kB\nPss:     5120 kB\nPss_Anon: 1 kB\n"
	if n := parsePSS([]byte(text)); n != 5<<20 {
		t.Errorf("%d bytes", n)
	}
	if n := parsePSS([]byte("Rss: 8 kB\n")); n != 0 {
		t.Errorf("%d bytes of nothing", n)
	}
}
