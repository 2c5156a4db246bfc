package main

import (
	"io"
	"log/slog"

	"biloxi/config"
)

// newLogger returns the log of a server, which keeps to level from then on.
func newLogger(out io.Writer, cfg config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(slogLevel(cfg.Level))
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: durationsAsText}
	if cfg.Format == config.LogText || cfg.Format == config.LogAuto && isTerminal(out) {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

// durationsAsText has JSON say 428µs, as text does, and not nanoseconds without their unit.
func durationsAsText(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

func slogLevel(l config.LogLevel) slog.Level {
	switch l {
	case config.LogDebug:
		return slog.LevelDebug
	case config.LogWarn:
		return slog.LevelWarn
	case config.LogError:
		return slog.LevelError
	}
	return slog.LevelInfo
}
