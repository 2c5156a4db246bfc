package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"biloxi/bench"
)

// timerJ is how long a server may remember what it has answered over UDP (RFC 3261 §17.2.2): memory is
// looked at when that is over.
const timerJ = 35 * time.Second

const mebibyte = 1 << 20

// apart runs something against each server while the other does not run, and puts its value into the row.
func (h *harness) apart(ctx context.Context, s scenario, r *row, value func(p *proc, pids []int) (float64, error)) {
	durability := s.durability
	if durability == "" {
		durability = "none"
	}
	ours, err := h.startBiloxi(durability+"-"+fmt.Sprint(s.subscribers(h)), durability, s.subscribers(h))
	if err == nil {
		r.note(h.shorten(command(ours.cmd)))
		r.Ours, err = value(ours, []int{ours.pid()})
		ours.stop()
	}
	if err != nil || ctx.Err() != nil {
		r.skip(err)
		return
	}
	theirs, err := h.startKamailio(s.name, s.streams(), database{})
	if err == nil {
		r.note(h.shorten(command(theirs.cmd)))
		r.Theirs, err = value(theirs, []int{theirs.pid()})
		theirs.stop()
	}
	if err != nil {
		r.Note += "Kamailio: " + err.Error()
	} else if r.Theirs > 0 {
		r.Ratio = r.Ours / r.Theirs
	}
	r.Runs = 1
	r.judge()
}

// memoryContacts registers a million contacts.
func memoryContacts(ctx context.Context, h *harness, s scenario) row {
	r := s.row()
	r.Unit = "MiB"
	h.apart(ctx, s, &r, func(p *proc, pids []int) (float64, error) {
		if _, err := h.measure(ctx, p, pids, &r, append(s.flags(h), "-c", "128", "-n", "1")...); err != nil {
			return 0, err
		}
		sleep(ctx, timerJ)
		return float64(bench.PSS(pids)) / mebibyte, nil
	})
	return r
}

// memoryMessage takes what transactions need at their most: the peak is at the end of the minute.
func memoryMessage(ctx context.Context, h *harness, s scenario) row {
	r := s.row()
	r.Unit = "MiB"
	h.apart(ctx, s, &r, func(p *proc, pids []int) (float64, error) {
		res, err := h.measure(ctx, p, pids, &r, s.flags(h)...)
		if err != nil {
			return 0, err
		}
		r.Note += fmt.Sprintf("%s: %.0f/s, p99 %.1f ms, %d retransmissions, %d unanswered, %d wrong. ", p.name, res.Rate, res.Latency.P99/1e3, res.Retransmissions, res.Unanswered, res.Wrong)
		if res.Memory == nil {
			return 0, errors.New("no memory was measured")
		}
		return float64(res.Memory.After) / mebibyte, nil
	})
	return r
}

// memoryConnection is what one of thousands of connections takes. All subscribers register before, so that
// contacts and nonces have their memory already.
func memoryConnection(ctx context.Context, h *harness, s scenario) row {
	r := s.row()
	r.Unit = "KiB"
	h.apart(ctx, s, &r, func(p *proc, pids []int) (float64, error) {
		before := s
		before.bench, before.args = "register", []string{"-n", "80000"}
		if _, err := h.measure(ctx, p, pids, &r, before.flags(h)...); err != nil {
			return 0, err
		}
		sleep(ctx, timerJ)
		res, err := h.measure(ctx, p, pids, &r, s.flags(h)...)
		if err != nil {
			return 0, err
		}
		r.Note += fmt.Sprintf("%s: %d of %d held. ", p.name, res.Connections.Held, res.Connections.Wanted)
		if err := bench.CheckProcesses(pids); err != nil {
			return 0, fmt.Errorf("it has crashed with %d connections", res.Connections.Wanted)
		}
		return res.Connections.Each / 1024, nil
	})
	return r
}

// storm counts the connections that are served when all are opened at once.
func storm(ctx context.Context, h *harness, s scenario) row {
	r := s.row()
	r.Unit = "connections"
	wanted := 0
	h.apart(ctx, s, &r, func(p *proc, pids []int) (float64, error) {
		res, err := h.measure(ctx, p, pids, &r, s.flags(h)...)
		if err != nil {
			return 0, err
		}
		r.Note += fmt.Sprintf("%s: all done after %.1f s. ", p.name, res.Seconds)
		wanted = res.Connections.Wanted
		if err := bench.CheckProcesses(pids); err != nil {
			r.Note += p.name + " has crashed. "
		}
		return float64(res.Connections.Held), nil
	})
	r.Ratio = 0
	r.Met = r.Skipped == "" && int(r.Ours) == wanted
	r.Goal = fmt.Sprintf("all %d", wanted)
	return r
}

// restart registers a million durable contacts, ends the server, and takes the time until it answers again.
func restart(ctx context.Context, h *harness, s scenario) row {
	r := s.row()
	r.Unit = "s"
	n := s.subscribers(h)
	data := "sync-" + fmt.Sprint(n)
	ours, err := h.startBiloxi(data, "sync", n)
	if err != nil {
		r.skip(err)
		return r
	}
	_, err = h.measure(ctx, ours, []int{ours.pid()}, &r, append(s.flags(h), "-c", "128", "-n", "1")...)
	ours.kill() // whoever answers after a crash has what was acknowledged
	if err != nil {
		r.skip(err)
		return r
	}
	if ours, err = h.startBiloxi(data, "sync", n); err != nil {
		r.skip(err)
		return r
	}
	r.note(h.shorten(command(ours.cmd)))
	r.Ours = ours.started.Seconds()
	err = h.mustKnow(ours, fmt.Sprintf("user%d", n-1))
	ours.stop()
	if err != nil {
		r.skip(err)
		return r
	}
	r.Runs = 1
	if err := h.restartKamailio(ctx, s, &r); err != nil {
		r.Note = "Kamailio: " + err.Error()
	}
	r.judge()
	return r
}

func (h *harness) restartKamailio(ctx context.Context, s scenario, r *row) error {
	db, err := h.openDatabase(ctx, s.database, s.name)
	if err != nil {
		return err
	}
	defer db.close()
	theirs, err := h.startKamailio(s.name, false, db)
	if err != nil {
		return err
	}
	_, err = h.measure(ctx, theirs, []int{theirs.pid()}, r, append(s.flags(h), "-c", "128", "-n", "1")...)
	theirs.stop()
	if err != nil {
		return err
	}
	if theirs, err = h.startKamailio(s.name, false, db); err != nil {
		return err
	}
	defer theirs.stop()
	r.note(h.shorten(command(theirs.cmd)))
	// It answers OPTIONS while it still loads its contacts.
	began := time.Now()
	for h.mustKnow(theirs, fmt.Sprintf("user%d", s.subscribers(h)-1)) != nil {
		if time.Since(began) > loadWait || ctx.Err() != nil {
			return errors.New("it does not know its contacts")
		}
	}
	r.Theirs = (theirs.started + time.Since(began)).Seconds()
	r.Ratio = r.Ours / r.Theirs
	return nil
}

// loadWait is how long a server may take to know its contacts again.
const loadWait = 5 * time.Minute

// mustKnow asks for the contacts of a user.
func (h *harness) mustKnow(p *proc, user string) error {
	name := filepath.Join(h.dir, "password")
	if err := os.WriteFile(name, []byte("secret-"+user+"\n"), 0o600); err != nil {
		return err
	}
	out, err := exec.Command(h.biloxi, "contacts", "sip:"+user+"@"+domain, "--server", p.uri("udp"), "--password-file", name, "--json").Output()
	var res struct{ Contacts []struct{ URI string } }
	if err == nil {
		err = json.Unmarshal(out, &res)
	}
	if err == nil && len(res.Contacts) != 1 {
		err = fmt.Errorf("%s has %d contacts after the restart", user, len(res.Contacts))
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
