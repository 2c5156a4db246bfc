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
}

func BenchmarkSipHash(b *testing.B) {
	k := newSipKey(make([]byte, 16))
	b.Run("code of a nonce", func(b *testing.B) {
		message := make([]byte, stampSize+18)
		for b.Loop() {
			k.code(message)
		}
	})
}
