package transaction

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// scenario is one transaction's life, read from testdata: what comes in and what must come of it.
type scenario struct {
	name     string
	kind     kind
	reliable bool
	lines    []line
}

// line is one event: "500ms send INVITE".
type line struct {
	at         moment
	verb, what string
}

func (l line) String() string {
	return strings.TrimSpace(fmt.Sprintf("%-8v %s %s", l.at, l.verb, l.what))
}

// input tells the verbs that come from outside from those that must follow.
func (l line) input() bool {
	return slices.Contains([]string{"user", "recv", "fail", "break", "mend"}, l.verb)
}

func readScenarios(t *testing.T) []scenario {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	var all []scenario
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range strings.Split(string(text), "\n") {
			switch {
			case row == "" || row[0] == '#':
			case strings.HasPrefix(row, "== "):
				all = append(all, newScenario(t, row[3:]))
			default:
				f := strings.Fields(row)
				at, err := time.ParseDuration(f[0])
				if err != nil {
					t.Fatalf("%s:%d: %v", file, i+1, err)
				}
				s := &all[len(all)-1]
				s.lines = append(s.lines, line{at, f[1], strings.Join(f[2:], " ")})
			}
		}
	}
	return all
}

func newScenario(t *testing.T, title string) scenario {
	t.Helper()
	what, name, _ := strings.Cut(title, ": ")
	role, transport, _ := strings.Cut(what, ", ")
	kinds := map[string]kind{"INVITE client": inviteClient, "non-INVITE client": nonInviteClient,
		"INVITE server": inviteServer, "non-INVITE server": nonInviteServer}
	k, ok := kinds[role]
	tr := sip.TransportOf([]byte(transport))
	if !ok || tr == sip.NoTransport || name == "" {
		t.Fatalf("title %q", title)
	}
	return scenario{name: what + ": " + name, kind: k, reliable: tr.Reliable()}
}

// rig runs a transaction: a machine alone, or a layer with one in it.
type rig interface {
	// input does what a line says, and records what comes of it.
	input(l line)
	// advance lets time pass, up to and with at.
	advance(at moment)
	log() []line
}

// TestScripts runs each script over the machine alone and over the layer with real messages.
func TestScripts(t *testing.T) {
	for _, s := range readScenarios(t) {
		t.Run("machine/"+s.name, func(t *testing.T) { s.run(t, &machineRig{s: s}) })
		t.Run("layer/"+s.name, func(t *testing.T) { s.run(t, newLayerRig(t, s)) })
	}
}

func (s scenario) run(t *testing.T, r rig) {
	var want []line
	for _, l := range s.lines {
		if l.verb != "wait" {
			want = append(want, l)
		}
		if l.input() {
			r.advance(l.at)
			r.input(l)
		}
	}
	r.advance(s.lines[len(s.lines)-1].at)
	got := r.log()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("event %d differs.\nwanted:\n%s\ngot:\n%s", i+1, text(want), text(got))
		}
	}
}

func text(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "    %v\n", l)
	}
	return b.String()
}

// letter is the RFC's name of the timer that a machine's event is.
func letter(m machine, e event) string {
	if e == againFires {
		switch m.kind {
		case inviteClient:
			return "A"
		case nonInviteClient:
			return "E"
		case inviteServer:
			if m.state == Completed {
				return "G"
			}
		}
		return "100"
	}
	switch [2]int{int(m.kind), int(m.state)} {
	case [2]int{int(inviteClient), int(Calling)}:
		return "B"
	case [2]int{int(inviteClient), int(Proceeding)}:
		return "cancel"
	case [2]int{int(inviteClient), int(Completed)}:
		return "D"
	case [2]int{int(inviteClient), int(Accepted)}:
		return "M"
	case [2]int{int(nonInviteClient), int(Completed)}:
		return "K"
	case [2]int{int(inviteServer), int(Completed)}:
		return "H"
	case [2]int{int(inviteServer), int(Confirmed)}:
		return "I"
	case [2]int{int(inviteServer), int(Accepted)}:
		return "L"
	case [2]int{int(nonInviteServer), int(Completed)}:
		return "J"
	}
	return "F"
}

// machineRig runs a machine alone.
type machineRig struct {
	s      scenario
	m      machine
	broken bool
	last   string // response that was sent
	lines  []line
	arcs   map[arc]bool // what the machine was seen to do, if that is asked for
}

// arc is one arrow of a figure: an event in a state that changes it or has something done.
type arc struct {
	kind  kind
	state State
	event event
}

func (r *machineRig) log() []line { return r.lines }

func (r *machineRig) add(at moment, verb, what string) {
	r.lines = append(r.lines, line{at, verb, what})
}

func (r *machineRig) advance(at moment) {
	for r.m.kind != 0 && r.m.due() <= at {
		now := r.m.due()
		e, _ := r.m.fired(now)
		r.add(now, "timer", letter(r.m, e))
		r.step(now, e, "")
	}
}

func (r *machineRig) input(l line) {
	r.lines = append(r.lines, l)
	switch {
	case l.verb == "break" || l.verb == "mend":
		r.broken = l.verb == "break"
	case r.m.kind == 0:
		r.m = start(r.s.kind, r.s.reliable, Timers{}.orDefault(), l.at)
		d := do(0)
		if l.verb == "user" {
			d = sendRequest
		}
		if r.s.kind == nonInviteServer || r.s.kind == inviteServer {
			r.last = "100"
		}
		r.done(l.at, d, l.what, State(0))
	default:
		r.step(l.at, eventOf(l), l.what)
	}
}

func eventOf(l line) event {
	switch {
	case l.verb == "fail":
		return transportError
	case l.what == "cancel":
		return userCancel
	case l.what == "trying":
		return userTrying
	case l.what == "ACK":
		return ack
	}
	var code int
	if n, _ := fmt.Sscanf(l.what, "%d", &code); n == 1 {
		return statusEvent(code)
	}
	return retransmission
}

func (r *machineRig) step(now moment, e event, what string) {
	before := r.m.state
	next, d := r.m.step(Timers{}.orDefault(), now, e)
	if r.arcs != nil && (next != r.m || d != 0) {
		r.arcs[arc{r.m.kind, before, e}] = true
	}
	r.m = next
	r.done(now, d, what, before)
}

// done records what a step says, as the layer would do it.
func (r *machineRig) done(now moment, d do, what string, before State) {
	sent := ""
	switch {
	case d&sendRequest != 0:
		sent = map[bool]string{true: "INVITE", false: "MESSAGE"}[r.s.kind == inviteClient]
	case d&sendAck != 0:
		sent = "ACK"
	case d&sendCancel != 0:
		sent = "CANCEL"
	case d&sendResponse != 0:
		if statusOf(what) {
			r.last = what
		}
		sent = r.last
	}
	if sent != "" && !r.broken {
		r.add(now, "send", sent)
	} else if sent != "" && sent != "CANCEL" {
		state := r.m.state
		next, more := r.m.step(Timers{}.orDefault(), now, transportError)
		if r.arcs != nil && (next != r.m || more != 0) {
			r.arcs[arc{r.m.kind, state, transportError}] = true
		}
		r.m, d = next, d|more
	}
	if r.m.state != before && r.m.end <= now {
		r.m, _ = r.m.step(Timers{}.orDefault(), now, endFires)
	}
	if d&(tellResponse|tellAck) != 0 {
		r.add(now, "tell", what)
	}
	if d&tellTimeout != 0 {
		r.add(now, "tell", "timeout")
	}
	if d&tellError != 0 {
		r.add(now, "tell", "error")
	}
	if r.m.state != before {
		r.add(now, "state", r.m.state.String())
	}
}

func statusOf(what string) bool { return len(what) == 3 && what[0] >= '1' && what[0] <= '6' }

// TestScriptsCoverEveryArc: whatever an event does in a state that can be reached is shown by some script.
func TestScriptsCoverEveryArc(t *testing.T) {
	seen := map[arc]bool{}
	for _, s := range readScenarios(t) {
		s.run(t, &machineRig{s: s, arcs: seen})
	}
	for a := range arcs() {
		if !seen[a] {
			t.Errorf("no script shows event %d of machine %d in %v", a.event, a.kind, a.state)
		}
	}
}

// arcs walks all that each machine can do, from its start.
func arcs() map[arc]bool {
	found := map[arc]bool{}
	timers := Timers{}.orDefault()
	for k := inviteClient; k <= nonInviteServer; k++ {
		for _, reliable := range []bool{false, true} {
			todo := []machine{start(k, reliable, timers, 0)}
			seen := map[machine]bool{}
			for len(todo) > 0 {
				m := todo[0]
				todo = todo[1:]
				for e := provisional; e <= userCancel; e++ {
					if !takes(m, e) {
						continue
					}
					next, d := m.step(timers, 0, e)
					if next != m || d != 0 {
						found[arc{k, m.state, e}] = true
					}
					// What the timers are set to makes no other arcs.
					next.interval = timers.T1
					if !seen[next] && next.state != Terminated {
						seen[next] = true
						todo = append(todo, next)
					}
				}
			}
		}
	}
	return found
}

// takes reports whether the layer can give m that event.
func takes(m machine, e event) bool {
	client := m.kind == inviteClient || m.kind == nonInviteClient
	switch e {
	case retransmission:
		return !client
	case ack, userTrying:
		return m.kind == inviteServer
	case userCancel:
		return m.kind == inviteClient
	case againFires:
		return m.again != never
	case endFires:
		return m.end != never && !(m.kind == nonInviteServer && m.again < m.end)
	case transportError:
		return !(m.kind == nonInviteServer && m.state == Trying) // which sends nothing
	}
	return true
}
