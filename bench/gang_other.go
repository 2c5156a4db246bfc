//go:build !linux

package bench

// gang does not exist here: each worker has a goroutine of its own.
type gang struct{}

func (r *run) newGangs() ([]*gang, error) { return nil, nil }

func (*gang) loop(*stage) {}
func (*gang) close()      {}
