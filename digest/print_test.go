package digest

import (
	"encoding/binary"
	"math/big"
	"testing"
)

// Requests of all lengths around the ends of blocks, and each with one bit changed, have prints of their own.
func TestPrintsDiffer(t *testing.T) {
	k := newPrintKey([]byte("0123456789abcdef"))
	seen := map[uint64]int{}
	note := func(b []byte) {
		p := k.print(b, overUDP)
		if _, ok := seen[p]; ok {
			t.Fatalf("a print of %d bytes, %x, stands twice", len(b), p)
		}
		if k.print(b, overUDP) != p {
			t.Fatal("a request has two prints")
		}
		seen[p] = len(b)
	}
	for n := range 3*printBlock + 2 {
		b := make([]byte, n)
		note(b)
		for i := range b {
			b[i] ^= 1 << (i % 8)
			note(b)
			b[i] = 0
		}
	}
}

// The prints of another key are others, and the hash of a block is the sum that its comment says.
func TestPrintKey(t *testing.T) {
	k, other := newPrintKey([]byte("0123456789abcdef")), newPrintKey([]byte("0123456789abcdeg"))
	var b [printBlock]byte
	for i := range b {
		b[i] = byte(i*37 + 200)
	}
	if k.print(b[:], overUDP) == other.print(b[:], overUDP) {
		t.Error("two keys make one print")
	}
	word := func(i int) *big.Int { return new(big.Int).SetUint64(binary.LittleEndian.Uint64(b[8*i:]) + k.words[i]) }
	want := new(big.Int)
	for i := 0; i < len(k.words); i += 2 {
		want.Add(want, new(big.Int).Mul(word(i), word(i+1)))
	}
	want.Mod(want, new(big.Int).Lsh(big.NewInt(1), 128))
	hi, lo := k.nh(&b)
	got := new(big.Int).SetUint64(hi)
	if got.Lsh(got, 64).Or(got, new(big.Int).SetUint64(lo)); got.Cmp(want) != 0 {
		t.Errorf("nh is %x, want %x", got, want)
	}
}

func BenchmarkPrint(b *testing.B) {
	k := newPrintKey(make([]byte, 16))
	message := make([]byte, 700)
	for b.Loop() {
		k.print(message, overUDP)
	}
}
