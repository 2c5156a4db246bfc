package journal

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The harness runs this test binary again as a child that changes AORs under load and says on its standard output
// which changes were acknowledged, and kills it with -9 at some moment.

// childDir names the environment variable that makes the test binary such a child, with the data folder.
const childDir = "BILOXI_JOURNAL_CHILD"

const (
	crashWriters = 32 // of the child, each with its own AORs
	crashAORs    = 8  // of each writer
)

// childMain is the child: it reports whether this process is one.
func childMain() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	j, err := Open(Config{Dir: dir, SnapshotBytes: 1 << 20, Now: func() time.Time { return epoch }})
	if err != nil {
		fmt.Println("error", err)
		return true
	}
	start, _ := strconv.Atoi(os.Getenv(childDir + "_START"))
	fmt.Println("ready")
	var all sync.WaitGroup
	for w := range crashWriters {
		all.Go(func() {
			for i := start; ; i++ {
				aor := fmt.Sprintf("user%d-%d@h", w, i%crashAORs)
				if err := set(j, aor, i); err != nil {
					fmt.Println("error", err)
					return
				}
				// One write, so that a line is there whole or not at all.
				os.Stdout.WriteString(fmt.Sprintf("%s %d\n", aor, i))
			}
		})
	}
	all.Wait()
	return true
}

// TestKill kills a process that writes, again and again: what it had acknowledged is there. More rounds than
// the few of every run: BILOXI_CRASHES=500.
func TestKill(t *testing.T) {
	t.Run("T12", func(t *testing.T) {
		rounds := 6
		if more, err := strconv.Atoi(os.Getenv("BILOXI_CRASHES")); err == nil {
			rounds = more
		}
		dir := t.TempDir()
		acknowledged := map[string]int{}
		total := 0
		for round := range rounds {
			start := 1 + round*1_000_000
			n := killOne(t, dir, start, 10+37*(round%17), acknowledged)
			total += n
			j := mustOpen(t, Config{Dir: dir})
			for aor, want := range acknowledged {
				if got := cseq(j, aor); got < want {
					t.Errorf("round %d: %s has CSeq %d, %d was acknowledged", round, aor, got, want)
				}
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				return
			}
		}
		t.Logf("%d kills, %d changes acknowledged", rounds, total)
		if total < rounds*10 {
			t.Errorf("%d changes in %d rounds are no load", total, rounds)
		}
	})
}

// killOne starts a child and kills it when it has acknowledged that many changes. It returns how many it
// acknowledged in all, and puts them into acknowledged.
func killOne(t *testing.T, dir string, start, after int, acknowledged map[string]int) (n int) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprintf("%s_START=%d", childDir, start))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		aor, number, _ := strings.Cut(lines.Text(), " ")
		if aor == "ready" {
			continue
		}
		i, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		acknowledged[aor] = max(acknowledged[aor], i)
		if n++; n == after {
			child.Process.Kill() // SIGKILL; what it had written until then is still read
		}
	}
	return n
}
