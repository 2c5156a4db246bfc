package server

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/defence"
)

// guard is who is watched, and what an administrator says of sources.
type guard struct {
	*defence.Table
	log   *slog.Logger
	rules atomic.Pointer[defence.Rules] // nil: none
	file  string                        // that they are kept in
	edit  sync.Mutex                    // one change of the rules at a time
	wake  chan struct{}                 // there is something to sweep
	lines struct {
		second atomic.Int64  // the last one that a line was written in
		count  atomic.Int64  // of it
		quiet  atomic.Uint64 // lines that were not written since one was
	}
}

// stir has what is counted swept, while there is something.
func (g *guard) stir() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// tell logs whose standing has changed. The form of the line is documented, for programs that read it.
func (g *guard) tell(now time.Time, st *state, a *defence.Attempt) {
	changes := a.Changes()
	for i := range changes {
		g.line(now, st, &changes[i], a.Source.Unmap().String())
	}
}

// actions are the words of the log for a standing.
var actions = [...]string{defence.Open: "admitted", defence.Throttled: "throttled", defence.Refused: "refused"}

func (g *guard) line(now time.Time, st *state, c *defence.Change, address string) {
	if !g.due(now) {
		g.lines.quiet.Add(1)
		return
	}
	message := "defence"
	if st.watchfulness.watch {
		message = "defence watches"
	}
	action := actions[c.Standing]
	if c.Kind == defence.User && c.Standing != defence.Open {
		action = "attacked"
	}
	line := []slog.Attr{slog.String("action", action)}
	if c.Kind != defence.User {
		if address == "" {
			address = c.Source.Addr().String()
		}
		line = append(line, slog.String("address", address), slog.String("source", c.Source.String()))
	}
	line = append(line, slog.Int("passwords", c.Guesses), slog.Int("names", c.Unknown))
	if c.For > 0 {
		line = append(line, slog.Duration("for", c.For))
	}
	if user := c.User(); user != "" {
		line = append(line, slog.String("user", user))
	}
	line = append(line, slog.Uint64("unlogged", g.lines.quiet.Swap(0)))
	level := slog.LevelWarn
	if c.Standing == defence.Open {
		level = slog.LevelInfo
	}
	g.log.LogAttrs(context.Background(), level, message, line...)
}

// due reports whether one more line may be written in this second.
func (g *guard) due(now time.Time) bool {
	if second := now.Unix(); g.lines.second.Swap(second) != second {
		g.lines.count.Store(0)
	}
	return g.lines.count.Add(1) <= maxDefenceLines
}

// sweep lets in whom time has let in, while there is anybody.
func (s *Server) sweep(ctx context.Context) {
	timer := time.NewTimer(0)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.guard.wake:
			timer.Reset(sweepEvery)
		case <-timer.C:
			if s.sweepOnce() > 0 {
				timer.Reset(sweepEvery)
			}
		}
	}
}

func (s *Server) sweepOnce() int {
	st, now := s.state.Load(), s.now()
	if st.watchfulness.off {
		s.guard.ForgetAll()
		return 0
	}
	return s.guard.Sweep(now, &st.watchfulness.Policy, func(c *defence.Change) { s.guard.line(now, st, c, "") })
}
