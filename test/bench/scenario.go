package main

import (
	"context"
	"strconv"
)

// scenario is one row of the report.
type scenario struct {
	name, section, title string

	transport  string   // udp, tcp or tls
	bench      string   // scenario of biloxi bench
	args       []string // more flags of it
	durability string   // of Biloxi; empty: none
	database   string   // that Kamailio writes through to: sqlite or postgres; empty: memory alone
	users      int      // 0: as the flag says

	target float64 // the ratio must not be above it; 0: none is set
	limit  float64 // Biloxi's value must not be above it; 0: none is set

	run func(context.Context, *harness, scenario) row
}

// The sections of the report, in order.
var sections = []string{"UDP", "TCP", "TLS", "Durable", "Latency", "Memory", "Restart", "Growth"}

var scenarios = []scenario{
	{name: "udp-options", section: "UDP", title: "OPTIONS", transport: "udp", bench: "options", target: 0.8, run: pair},
	{name: "udp-register", section: "UDP", title: "REGISTER with its challenge", transport: "udp", bench: "register", target: 0.75, run: pair},
	{name: "udp-refresh", section: "UDP", title: "refresh, in memory", transport: "udp", bench: "refresh", target: 0.75, run: pair},
	{name: "udp-query", section: "UDP", title: "query of the contacts", transport: "udp", bench: "query", target: 0.7, run: pair},
	{name: "udp-message", section: "UDP", title: "MESSAGE, proxied", transport: "udp", bench: "message", target: 0.5, run: pair},
	{name: "udp-call", section: "UDP", title: "call, record-routed", transport: "udp", bench: "call", target: 0.6, run: pair},

	{name: "tcp-options", section: "TCP", title: "OPTIONS", transport: "tcp", bench: "options", run: pair},
	{name: "tcp-refresh", section: "TCP", title: "refresh, in memory", transport: "tcp", bench: "refresh", target: 0.8, run: pair},
	{name: "tcp-message", section: "TCP", title: "MESSAGE, proxied", transport: "tcp", bench: "message", run: pair},
	{name: "tcp-call", section: "TCP", title: "call, record-routed", transport: "tcp", bench: "call", target: 0.5, run: pair},

	{name: "tls-refresh", section: "TLS", title: "refresh, in memory", transport: "tls", bench: "refresh", target: 0.8, run: pair},
	{name: "tls-message", section: "TLS", title: "MESSAGE, proxied", transport: "tls", bench: "message", run: pair},
	{name: "tls-call", section: "TLS", title: "call, record-routed", transport: "tls", bench: "call", run: pair},

	{name: "durable-memory", section: "Durable", title: "refresh, synced; Kamailio in memory alone", transport: "udp", bench: "refresh", durability: "sync", args: []string{"-c", "128"}, target: 1.1, run: pair},
	{name: "durable-sqlite", section: "Durable", title: "refresh, synced; Kamailio writes through to SQLite", transport: "udp", bench: "refresh", durability: "sync", database: "sqlite", args: []string{"-c", "128"}, target: 0.05, run: pair},
	{name: "durable-postgres", section: "Durable", title: "refresh, synced; Kamailio writes through to PostgreSQL", transport: "udp", bench: "refresh", durability: "sync", database: "postgres", args: []string{"-c", "128"}, target: 0.05, run: pair},

	{name: "latency-refresh", section: "Latency", title: "p99 of refreshes, 10,000 in a second", transport: "udp", bench: "refresh", args: []string{"-r", "10000"}, target: 1, run: latency},
	{name: "latency-message", section: "Latency", title: "p99 of MESSAGEs, 4,000 in a second", transport: "udp", bench: "message", args: []string{"-r", "4000"}, target: 1, run: latency},
	{name: "latency-call", section: "Latency", title: "p99 of calls, 1,000 in a second", transport: "udp", bench: "call", args: []string{"-r", "1000"}, target: 1, run: latency},

	{name: "latency-refresh-busy", section: "Latency", title: "p99 of refreshes, 40,000 in a second", transport: "udp", bench: "refresh", args: []string{"-r", "40000"}, target: 1, run: latency},
	{name: "latency-message-busy", section: "Latency", title: "p99 of MESSAGEs, 12,000 in a second", transport: "udp", bench: "message", args: []string{"-r", "12000"}, target: 1, run: latency},
	{name: "latency-call-busy", section: "Latency", title: "p99 of calls, 4,000 in a second", transport: "udp", bench: "call", args: []string{"-r", "4000"}, target: 1, run: latency},

	{name: "memory-contacts", section: "Memory", title: "1,000,000 contacts, the whole process", transport: "udp", bench: "refresh", users: 1000000, limit: 500, run: memoryContacts},
	{name: "memory-message", section: "Memory", title: "30,000 MESSAGEs in a second for a minute", transport: "udp", bench: "message", args: []string{"-r", "30000", "-d", "60"}, limit: 500, run: memoryMessage},
	{name: "memory-tcp", section: "Memory", title: "an idle registered TCP connection", transport: "tcp", bench: "connect", args: []string{"--sockets", "5000", "--hold", "40"}, limit: 6, run: memoryConnection},
	{name: "memory-tls", section: "Memory", title: "an idle registered TLS connection", transport: "tls", bench: "connect", args: []string{"--sockets", "5000", "--hold", "40"}, limit: 24, run: memoryConnection},
	{name: "storm-tls", section: "Memory", title: "5,000 TLS connections opened at once: served", transport: "tls", bench: "connect", args: []string{"--sockets", "5000", "-c", "5000", "--hold", "1"}, run: storm},

	{name: "restart", section: "Restart", title: "start with 1,000,000 durable contacts until it answers", transport: "udp", bench: "refresh", durability: "sync", database: "postgres", users: 1000000, limit: 3, run: restart},

	{name: "growth-10k", section: "Growth", title: "refresh, in memory, 10,000 subscribers", transport: "udp", bench: "refresh", users: 10000, run: pair},
	{name: "growth-100k", section: "Growth", title: "refresh, in memory, 100,000 subscribers", transport: "udp", bench: "refresh", users: 100000, run: pair},
	{name: "growth-1m", section: "Growth", title: "refresh, in memory, 1,000,000 subscribers", transport: "udp", bench: "refresh", users: 1000000, run: pair},
	{name: "growth", section: "Growth", title: "refresh, in memory, 1,000,000 subscribers beside 10,000", transport: "udp", bench: "refresh", users: 1000000, target: 1.3, run: growth},
}

func (s *scenario) streams() bool { return s.transport != "udp" }

// subscribers is how many the scenario has.
func (s *scenario) subscribers(h *harness) int {
	if s.users != 0 {
		return s.users
	}
	return h.users
}

// flags are those of biloxi bench.
func (s *scenario) flags(h *harness) []string {
	f := []string{"-s", s.bench, "--domain", domain, "--users", strconv.Itoa(s.subscribers(h))}
	if s.transport == "tls" {
		f = append(f, "--insecure")
	}
	if s.bench == "message" || s.bench == "call" {
		f = append(f, "--caller-domain", "callers.example")
	}
	return append(f, s.args...)
}
