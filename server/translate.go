package server

import (
	"log/slog"
	"time"

	"biloxi/config"
	"biloxi/digest"
	"biloxi/registrar"
	"biloxi/sip"
	"biloxi/store/journal"
	"biloxi/transport"
)

// The packages below know nothing of the configuration's file: here its values become theirs.

func registrarConfig(c config.Registrar) registrar.Config {
	return registrar.Config{
		DefaultExpires:     time.Duration(c.DefaultExpires),
		MinExpires:         time.Duration(c.MinExpires),
		MaxExpires:         time.Duration(c.MaxExpires),
		MaxContacts:        c.MaxContacts,
		Jitter:             c.Jitter,
		LenientCSeq:        c.LenientCSeq,
		PathWithoutSupport: string(c.PathWithoutSupport),
		ServiceRoute:       c.ServiceRoute,
	}
}

func digestConfig(c config.Auth) digest.Config {
	return digest.Config{
		AuthInt:       c.AuthInt,
		NonceLifetime: time.Duration(c.NonceLifetime),
		MaxNonces:     c.MaxNonces,
	}
}

func journalDurability(d config.Durability) journal.Durability {
	switch d {
	case config.DurabilityInterval:
		return journal.Interval
	case config.DurabilityNone:
		return journal.None
	}
	return journal.Sync
}

func transportConfig(c config.Config, tls transport.TLSConfig, opt Options, log *slog.Logger) transport.Config {
	l := c.Limits
	out := transport.Config{
		TLS:          tls,
		Logger:       log,
		ListenPacket: opt.ListenPacket,
		ListenStream: opt.ListenStream,
		Limits: transport.Limits{
			MaxHead:           int(l.HeadSize),
			MaxBody:           int(l.BodySize),
			MaxConns:          l.Connections,
			MaxConnsPerSource: l.ConnectionsPerSource,
			Unauthenticated:   time.Duration(l.UnauthenticatedTimeout),
			Idle:              time.Duration(l.IdleTimeout),
			Message:           time.Duration(l.MessageTimeout),
			WriteQueue:        int(l.WriteQueue),
			Write:             time.Duration(l.WriteTimeout),
			Handshake:         time.Duration(l.HandshakeTimeout),
		},
	}
	for _, a := range c.Listeners {
		out.Listeners = append(out.Listeners, transport.Listener{Transport: sip.Transport(a.Transport), Address: a.Address})
	}
	return out
}
