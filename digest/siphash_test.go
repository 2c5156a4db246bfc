package digest

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// Vectors: key 00 01 … 0f, message 00 01 … of each length.
func TestSipHash(t *testing.T) {
	var key [16]byte
	for i := range key {
		key[i] = byte(i)
	}
	k := newSipKey(key[:])
	message := make([]byte, 64)
	for i := range message {
		message[i] = byte(i)
	}
	for n, want := range map[int]string{
		0:  "a3817f04ba25a8e66df67214c7550293",
		1:  "da87c1d86b99af44347659119b22fc45",
		17: "473d06e8738db89854c066c47ae47740",
	} {
		lo, hi := k.code(message[:n])
		got := hex.EncodeToString(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, lo), hi))
		if got != want {
			t.Errorf("code of %d bytes: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int]uint64{0: 0xabac0158050fc4dc, 1: 0xc9f49bf37d57ca93, 17: 0x9cf2689063dbd80c, 64: 0xf17997ec4b4a6065} {
		if got := k.print(message[:n]); got != want {
			t.Errorf("print of %d bytes: %x, want %x", n, got, want)
		}
	}
}

func BenchmarkSipHash(b *testing.B) {
	k := newSipKey(make([]byte, 16))
	b.Run("code of a nonce", func(b *testing.B) {
		message := make([]byte, stampSize+18)
		for b.Loop() {
			k.code(message)
		}
	})
	b.Run("print of a request", func(b *testing.B) {
		message := make([]byte, 700)
		for b.Loop() {
			k.print(message)
		}
	})
}
