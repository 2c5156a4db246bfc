package transport

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A pipe gives what was written, whatever it is read in.
func TestPipe(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	var p pipe
	var want []byte
	for i := range 20_000 {
		switch dice.IntN(3) {
		case 0, 1:
			if len(want) > 200_000 {
				continue
			}
			b := bytes.Repeat([]byte{byte(i)}, dice.IntN(20_000)>>dice.IntN(12))
			p.write(b)
			want = append(want, b...)
		case 2:
			n := dice.IntN(len(want) + 1)
			if dice.IntN(50) == 0 {
				n = len(want)
			}
			skip := dice.IntN(n + 1)
			if got := p.appendTo(nil, skip, n-skip); !bytes.Equal(got, want[skip:n]) {
				t.Fatalf("step %d: not what was written", i)
			}
			if got := p.front(0); !bytes.HasPrefix(want, got) || len(got) == 0 && len(want) > 0 {
				t.Fatalf("step %d: the front", i)
			}
			p.drop(n)
			want = want[n:]
		}
		if p.size() != len(want) || p.held() < p.size() || p.held() >= p.size()+2*readBuffer {
			t.Fatalf("step %d: %d bytes in %d, want %d", i, p.size(), p.held(), len(want))
		}
	}
	p.clear()
	if p.size() != 0 || p.held() != 0 || p.front(0) != nil {
		t.Errorf("%d bytes in %d are left", p.size(), p.held())
	}
}
