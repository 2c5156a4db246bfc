package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// profileAll runs each scenario once against a Biloxi that writes profiles: NAME.cpu and NAME.allocs.
func (h *harness) profileAll(ctx context.Context, chosen []scenario) (err error) {
	if h.profiles, err = filepath.Abs(h.profiles); err != nil {
		return err
	}
	if err := os.MkdirAll(h.profiles, 0o755); err != nil {
		return err
	}
	for _, s := range chosen {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.bench == "connect" || s.users != 0 {
			continue // they measure memory, or what others measure too
		}
		if err := h.profile(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (h *harness) profile(ctx context.Context, s scenario) error {
	durability := s.durability
	if durability == "" {
		durability = "none"
	}
	h.profiled = s.name
	ours, err := h.startBiloxi(durability+"-"+strconv.Itoa(s.subscribers(h)), durability, s.subscribers(h))
	if err != nil {
		return err
	}
	defer ours.stop()
	r := s.row()
	res, err := h.measure(ctx, ours, []int{ours.pid()}, &r, append(s.flags(h), "-d", h.duration.String())...)
	if err == nil && res.ServerCPU != nil {
		fmt.Printf("%-22s %.2f µs: %s.cpu and .allocs\n", s.name, res.ServerCPU.Operation, filepath.Join(h.profiles, s.name))
	}
	return err
}
