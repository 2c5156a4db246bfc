package client

import "sync"

// inbox is what an Agent's loop has still to do: what came from the network, each as a function that the loop
// calls. Anybody may put something in.
type inbox struct {
	mu    sync.Mutex
	list  []func()
	ready chan struct{} // has one in it while the list is not empty
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

// post adds f. When far too much waits it is dropped: who sent it sends it again.
func (b *inbox) post(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) >= maxInbox {
		return
	}
	b.list = append(b.list, f)
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// take empties the inbox.
func (b *inbox) take() []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}
