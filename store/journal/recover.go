package journal

// recover writes everything anew, since what the last files hold is not known to the last byte, and takes
// changes again if that succeeds. A full disk gets the room of the reserve.
func (s *syncer) recover() {
	err := s.folder.regain()
	if err == nil {
		s.generation++
		err = s.renew(s.generation)
	}
	if err != errStopped && s.room.giveUp(err) {
		s.generation++
		err = s.renew(s.generation)
	}
	if err == errStopped {
		return
	} else if err != nil {
		s.failure = err
		s.cfg.Logger.Error("the disk still fails", "error", err)
		return
	}
	s.failure = nil
	s.queue.resume()
	s.cfg.Logger.Warn("the disk can be written again: registrations are taken")
}

func (s *syncer) stopped() error {
	if s.finishing.Load() {
		return errStopped
	}
	return nil
}

// renew writes a snapshot of all there is, and begins the journal behind it.
func (s *syncer) renew(generation uint64) error {
	w := snapshotWriter{fs: s.cfg.FS, dir: s.cfg.Dir, generation: generation}
	if err := w.write(s.index, s.stopped); err != nil {
		return err
	}
	s.journalBytes.Store(0)
	// Records that were rolled back have numbers too; they are not used again.
	s.queue.mu.Lock()
	s.written = s.queue.next - 1
	s.queue.mu.Unlock()
	s.durable = s.written
	s.folder.base.Store(generation)
	// Now, whether or not a journal can be begun: a full disk has room for it only then, and the next try writes
	// another snapshot.
	removeOld(s.cfg.FS, s.cfg.Dir, generation)
	return s.begin(generation)
}
