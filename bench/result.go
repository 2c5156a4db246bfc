package bench

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// Result is what was measured. Durations are in microseconds, memory in bytes.
type Result struct {
	Scenario  Scenario `json:"scenario"`
	Transport string   `json:"transport"`
	Server    string   `json:"server"`

	Concurrency int     `json:"concurrency"`
	Target      float64 `json:"target_rate,omitempty"` // 0: closed loop
	Sockets     int     `json:"sockets"`
	Users       int     `json:"users"`

	Seconds    float64 `json:"seconds"`
	Operations int64   `json:"operations"` // done and right, within the measured time
	Rate       float64 `json:"rate"`       // of them, in a second

	Latency Latency `json:"latency_us"`

	// These are of the whole run behind the preparation, warm-up and end included.
	Requests        int64            `json:"requests"` // ACKs included, retransmissions not
	Retransmissions int64            `json:"retransmissions"`
	Repeated        int64            `json:"repeated"`   // answers that came again or too late
	Challenges      int64            `json:"challenges"` // 401 and 407
	Unanswered      int64            `json:"unanswered"`
	Wrong           int64            `json:"wrong"`
	Faults          map[string]int64 `json:"faults,omitempty"`    // the wrong ones by what was wrong
	Overtaken       int64            `json:"overtaken,omitempty"` // calls whose 200 came before any 180
	Direct          int64            `json:"direct,omitempty"`    // calls whose ACK and BYE the server did not want to see
	Sample          *Sample          `json:"sample,omitempty"`

	ServerCPU *CPU    `json:"server_cpu,omitempty"`
	ToolCPU   *CPU    `json:"tool_cpu,omitempty"`
	Memory    *Memory `json:"server_memory,omitempty"`

	Connections *Connections `json:"connections,omitempty"`

	began, ended     time.Time
	server0, server1 cpuTime
	tool0, tool1     cpuTime
}

// Latency is how long operations took.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// CPU is processor time within the measured time.
type CPU struct {
	Operation float64 `json:"us_per_operation"`
	User      float64 `json:"user_us_per_operation"`
	System    float64 `json:"system_us_per_operation"`
	Cores     float64 `json:"cores"` // mean number of cores that were busy
}

// Memory is the proportional set size of the server's processes.
type Memory struct {
	Before int64 `json:"pss_before"` // when all was prepared
	After  int64 `json:"pss_after"`  // when all had ended
}

// Connections is what Connect saw.
type Connections struct {
	Wanted int     `json:"wanted"`
	Opened int     `json:"opened"` // and registered over
	Held   int     `json:"held"`   // still open at the end
	Each   float64 `json:"pss_each,omitempty"`
}

// Sample is the first wrong answer, with what it answers.
type Sample struct {
	Fault   string `json:"fault"`
	Request string `json:"request,omitempty"`
	Message string `json:"message,omitempty"` // empty if none came
}

// summary is one line about it.
func (s *Sample) summary() string {
	line := func(message string) string {
		first, _, _ := strings.Cut(message, "\r\n")
		return first
	}
	if s.Message == "" {
		return fmt.Sprintf("no answer to %s", line(s.Request))
	}
	if s.Request == "" {
		return fmt.Sprintf("%s: %s", s.Fault, line(s.Message))
	}
	return fmt.Sprintf("%s: %s answers %s", s.Fault, line(s.Message), line(s.Request))
}

// OK reports whether every answer came and was right.
func (r *Result) OK() bool {
	return r.Wrong == 0 && r.Unanswered == 0 && (r.Connections == nil || r.Connections.Held == r.Connections.Wanted)
}

func (r *run) keepSample(f fault, message, request []byte) {
	r.keep(&Sample{Fault: faultNames[f]}, message, request)
}

func (r *run) keepUnanswered(request []byte) { r.keep(&Sample{Fault: "no answer"}, nil, request) }

// keep keeps the first.
func (r *run) keep(s *Sample, message, request []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sample == nil {
		s.Message = string(bytes.Clone(message[:min(len(message), maxSample)]))
		s.Request = string(bytes.Clone(request[:min(len(request), maxSample)]))
		r.sample = s
	}
}

func (r *run) newResult() *Result {
	c := r.config
	return &Result{Scenario: c.Scenario, Transport: strings.ToLower(c.Transport.String()), Server: c.Server.String(),
		Concurrency: c.Concurrency, Target: c.Rate, Sockets: c.Workers, Users: len(c.Users)}
}

// before notes the server's memory, begin the time and the processors' time, and end and after the same.
func (r *Result) before(c *Config) {
	if len(c.Processes) > 0 {
		r.Memory = &Memory{Before: PSS(c.Processes)}
	}
}

func (r *Result) begin(c *Config) {
	r.server0, r.tool0, r.began = readCPU(c.Processes), ownCPU(), time.Now()
}

func (r *Result) end(c *Config) {
	r.server1, r.tool1, r.ended = readCPU(c.Processes), ownCPU(), time.Now()
}

func (r *Result) after(c *Config) {
	if r.Memory != nil {
		r.Memory.After = PSS(c.Processes)
	}
}

// total adds up what the workers counted.
func (r *run) total(res *Result) {
	n := func(of func(*counters) *atomic.Int64) int64 { return r.sum(of) }
	res.Operations = n(func(c *counters) *atomic.Int64 { return &c.operations })
	res.Requests = n(func(c *counters) *atomic.Int64 { return &c.requests })
	res.Retransmissions = n(func(c *counters) *atomic.Int64 { return &c.retransmissions })
	res.Repeated = n(func(c *counters) *atomic.Int64 { return &c.repeated })
	res.Challenges = n(func(c *counters) *atomic.Int64 { return &c.challenges })
	res.Unanswered = n(func(c *counters) *atomic.Int64 { return &c.unanswered })
	res.Overtaken = n(func(c *counters) *atomic.Int64 { return &c.overtaken })
	res.Direct = n(func(c *counters) *atomic.Int64 { return &c.direct })
	lost := n(func(c *counters) *atomic.Int64 { return &c.established }) - n(func(c *counters) *atomic.Int64 { return &c.acks })
	lost -= n(func(c *counters) *atomic.Int64 { return &c.faults[faultACK] }) // noticed by the phone
	if lost > 0 {
		r.counters[0].faults[faultACK].Add(lost)
	}
	res.Faults = map[string]int64{}
	for f := range faultCount {
		if k := n(func(c *counters) *atomic.Int64 { return &c.faults[f] }); k > 0 {
			res.Faults[faultNames[f]] = k
			res.Wrong += k
		}
	}
	res.Sample = r.sample
	res.measure(r)
}

// measure works out rates, latency and cost.
func (res *Result) measure(r *run) {
	var h Histogram
	for i := range r.latency {
		h.Add(&r.latency[i])
	}
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	res.Latency = Latency{us(h.Mean()), us(h.Quantile(0.5)), us(h.Quantile(0.9)), us(h.Quantile(0.99)), us(h.Quantile(0.999)), us(h.Max())}
	took := res.ended.Sub(res.began)
	if res.Seconds = took.Seconds(); took <= 0 {
		return
	}
	res.Rate = float64(res.Operations) / res.Seconds
	if res.Operations == 0 {
		return
	}
	res.ToolCPU = res.cost(res.tool0, res.tool1)
	if len(r.config.Processes) > 0 {
		res.ServerCPU = res.cost(res.server0, res.server1)
	}
}

func (res *Result) cost(from, to cpuTime) *CPU {
	n := float64(res.Operations) * 1e3
	user, system := float64(to.user-from.user), float64(to.system-from.system)
	return &CPU{Operation: (user + system) / n, User: user / n, System: system / n, Cores: (user + system) / 1e9 / res.Seconds}
}

func (c *counters) reset() {
	for _, n := range []*atomic.Int64{&c.operations, &c.done, &c.requests, &c.answers, &c.retransmissions, &c.unanswered,
		&c.repeated, &c.challenges, &c.acks, &c.established, &c.overtaken, &c.direct} {
		n.Store(0)
	}
	for f := range c.faults {
		c.faults[f].Store(0)
	}
}
