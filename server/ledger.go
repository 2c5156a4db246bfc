package server

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"
)

// ledger counts what was served and what was refused. All goroutines of the server share it.
type ledger struct {
	log      *slog.Logger
	received atomic.Uint64
	answered [7]atomic.Uint64 // by class of status: answered[2] is 2xx
	// Of what is forwarded: requests in client transactions, those that ended unanswered (RFC 4320 §4.2), ACKs that
	// led nowhere.
	forwarded, silent, lostAcks atomic.Uint64
	refused                     [refusals]struct {
		count  atomic.Uint64
		logged atomic.Int64  // Unix nanoseconds of the last line
		quiet  atomic.Uint64 // refusals since that line
	}
}

// refuse counts a refusal and, once a second, logs it with what a person needs to find the sender.
func (l *ledger) refuse(now time.Time, why refusal, from netip.AddrPort, detail string, who sender) {
	if l.count(now, why) {
		l.write(why, from, detail, who)
	}
}

// refuseError is refuse for an error, whose text is made only for the log: a flood of garbage makes none.
func (l *ledger) refuseError(now time.Time, why refusal, from netip.AddrPort, err error, who sender) {
	if l.count(now, why) {
		l.write(why, from, err.Error(), who)
	}
}

// count counts a refusal and says whether it is to be logged.
func (l *ledger) count(now time.Time, why refusal) (due bool) {
	r := &l.refused[why]
	r.count.Add(1)
	last := r.logged.Load()
	ago := now.UnixNano() - last // negative where the clock was set back
	if 0 <= ago && ago < int64(refusalLog) || !r.logged.CompareAndSwap(last, now.UnixNano()) {
		r.quiet.Add(1)
		return false
	}
	return true
}

func (l *ledger) write(why refusal, from netip.AddrPort, detail string, who sender) {
	level := slog.LevelInfo
	if why == refusedStore || why == refusedLoad || why == refusedInternal {
		level = slog.LevelError
	}
	line := append(append([]slog.Attr{slog.String("reason", refusalNames[why]), slog.String("from", from.String())}, who.attrs()...),
		slog.String("detail", detail), slog.Uint64("unlogged", l.refused[why].quiet.Swap(0)))
	l.log.LogAttrs(context.Background(), level, "refused", line...)
}

// answer counts a response by the class of its status.
func (l *ledger) answer(status int) {
	if class := status / 100; class > 0 && class < len(l.answered) {
		l.answered[class].Add(1)
	}
}

// Counters are what the server has done since it started.
type Counters struct {
	Received uint64            `json:"received"` // SIP messages
	Answered map[string]uint64 `json:"answered"` // responses by class: "2xx"
	Refused  map[string]uint64 `json:"refused"`  // by reason

	Forwarded  uint64 `json:"forwarded"`  // requests, each to one address
	Unanswered uint64 `json:"unanswered"` // requests other than INVITE that nobody answered in time
	LostAcks   uint64 `json:"lost_acks"`  // ACKs that belong to nothing and lead nowhere
}

func (l *ledger) counters() Counters {
	c := Counters{Received: l.received.Load(), Answered: map[string]uint64{}, Refused: map[string]uint64{},
		Forwarded: l.forwarded.Load(), Unanswered: l.silent.Load(), LostAcks: l.lostAcks.Load()}
	for i := 1; i < len(l.answered); i++ {
		c.Answered[string(rune('0'+i))+"xx"] = l.answered[i].Load()
	}
	for i := range l.refused {
		c.Refused[refusalNames[i]] = l.refused[i].count.Load()
	}
	return c
}
