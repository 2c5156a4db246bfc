package sqlite_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"biloxi/digest"
	"biloxi/sip"
	"biloxi/subscriber"
)

// million is the size of the import that the benchmarks measure: go test -bench Million -benchtime 1x.
const million = 1_000_000

// importFile reads lines of AOR and password, as the command line does, and hashes with two algorithms.
var importFile = subscriber.CSV{
	Domain: func(host string) (subscriber.Domain, bool) { return subscriber.Domain{Name: host, Realm: host}, true },
	Hash: func(user, realm, password string) (h subscriber.HA1s) {
		var ha1 [32]byte
		for _, a := range []sip.Algorithm{sip.MD5, sip.SHA256} {
			digest.HA1(a, []byte(user), []byte(realm), []byte(password), &ha1)
			h.Set(a, ha1[:])
		}
		return h
	},
}

// lines writes the file, sorted by user or in no order.
func lines(order func(int) int) io.Reader {
	r, w := io.Pipe()
	go func() {
		b := bufio.NewWriterSize(w, 1<<16)
		for i := range million {
			fmt.Fprintf(b, "sip:user%07d@biloxi.example.com,secret%d\n", order(i), i)
		}
		b.Flush()
		w.Close()
	}()
	return r
}

func BenchmarkMillion(b *testing.B) {
	shuffled := rand.New(rand.NewPCG(1, 2)).Perm(million)
	for _, order := range []struct {
		name string
		of   func(int) int
	}{{"sorted", func(i int) int { return i }}, {"shuffled", func(i int) int { return shuffled[i] }}} {
		path := filepath.Join(b.TempDir(), "subscribers.db")
		s := open(b, path)
		b.Run("import/"+order.name, func(b *testing.B) {
			for b.Loop() {
				if n, err := s.Import(b.Context(), importFile.Read(lines(order.of))); n != million || err != nil {
					b.Fatal(n, err)
				}
			}
			if info, err := os.Stat(path); err == nil {
				b.ReportMetric(float64(info.Size())/million, "bytes/subscriber")
			}
		})
		b.Run("load/"+order.name, func(b *testing.B) {
			for b.Loop() {
				if err := subscriber.NewCache().Load(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
		})
		s.Close()
	}
}

func BenchmarkPut(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "subscribers.db"))
	defer s.Close()
	bob := subscriber.Subscriber{User: "bob", Domain: "a.example", Realm: "a.example", HA1s: importFile.Hash("bob", "a.example", "x")}
	for b.Loop() {
		if err := s.Put(b.Context(), bob); err != nil {
			b.Fatal(err)
		}
	}
}
