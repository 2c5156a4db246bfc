package main

import (
	"io"
	"log/slog"

	"biloxi/config"
)

// newLogger returns the log of a server, which keeps to level from then on.
func newLogger(out io.Writer, cfg config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(slogLevel(cfg.Level))
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == config.LogText || cfg.Format == config.LogAuto && isTerminal(out) {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
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
