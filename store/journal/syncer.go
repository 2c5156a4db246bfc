package journal

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"biloxi/location"
)

// syncer writes the groups. Its goroutine owns all of it but what is atomic or a channel.
type syncer struct {
	cfg   *Config
	index *location.Index
	queue *queue

	folder *folder
	room   *reserve

	file       File   // nil: failed, and not recovered yet
	generation uint64 // of file; of the last one that was begun, if it is nil
	salt       uint64 // of file
	size       int64  // of file, as far as it was written
	written    uint64 // the number of the last record that was written
	durable    uint64 // and that was synced
	safe       int64  // the size of file up to there
	failure    error  // why file is nil
	held       Held   // file by its name
	ahead      int64  // milliseconds that the wall clock is ahead of the records' times, as it is on disk
	marked     bool   // a mark says that all of file is synced, or there is nothing in it

	synced time.Time     // when the last sync ended
	took   time.Duration // and how long it took

	watched time.Time   // when the folder was looked at last
	timer   *time.Timer // of sleep

	rotations    chan rotation // the keeper asks for a new generation
	journalBytes atomic.Int64  // that journals have grown by since the last rotation
	finishing    atomic.Bool
}

// rotation asks for a new generation.
type rotation chan rotated

// rotated is the reply to a rotation.
type rotated struct {
	generation uint64 // 0: there can be none now
	bytes      int64  // in the journals before it, as far as no rotated had them yet
}

// run serves until finish is called and nothing waits.
func (s *syncer) run() {
	s.timer = time.NewTimer(watchEvery)
	defer s.timer.Stop()
	for {
		n := s.queue.waiting()
		switch {
		case n > 0:
			s.linger(n)
			s.serve()
		case s.finishing.Load():
			return
		default:
			s.sleep()
		}
		s.sometimes()
	}
}

// finish lets run return when nothing waits. The queue takes no changes any more.
func (s *syncer) finish() {
	s.finishing.Store(true)
	select {
	case s.queue.wake <- struct{}{}:
	default:
	}
}

// sleep waits for something to do.
func (s *syncer) sleep() {
	s.timer.Reset(s.idle())
	select {
	case <-s.queue.wake:
	case <-s.timer.C:
		if s.file == nil {
			s.recover()
		}
	case r := <-s.rotations:
		r <- s.rotate()
	}
}

// idle is how long the syncer may sleep if nobody wakes it.
func (s *syncer) idle() time.Duration {
	switch {
	case s.file == nil:
		return retryEvery
	case s.cfg.Durability == Interval && s.durable < s.written:
		return s.cfg.Interval - time.Since(s.synced)
	case s.unmarked():
		return max(idleMark-time.Since(s.synced), 0)
	}
	return keepEvery / 2
}

// unmarked reports whether a mark is due when nothing more is written.
func (s *syncer) unmarked() bool {
	return !s.marked && s.cfg.Durability != None && s.durable == s.written
}

// sometimes does what is due between groups, however busy it is.
func (s *syncer) sometimes() {
	var err error
	switch {
	case s.file == nil:
	case s.cfg.Durability == Interval && s.durable < s.written && time.Since(s.synced) >= s.cfg.Interval:
		err = s.sync()
	case s.unmarked() && time.Since(s.synced) >= idleMark:
		err = s.mark()
	default:
		err = s.watch()
	}
	if err != nil {
		s.fail(err)
	}
	select {
	case r := <-s.rotations:
		r <- s.rotate()
	default:
	}
}

// mark tells, after the last group, that all there is was synced.
func (s *syncer) mark() error {
	var mark [markSize]byte
	putMark(&mark, s.salt, s.written+1, s.written)
	if _, err := s.file.Write(mark[:]); err != nil {
		return err
	}
	s.size += markSize
	s.journalBytes.Add(markSize)
	s.marked = true
	return s.sync()
}

// linger waits a little for more changes to come, so that they share a sync: not when few wait and the disk had
// nothing to do lately, else for as long as the last sync took, at the most maxLinger. What is not synced shares a
// write.
func (s *syncer) linger(waiting int) {
	wait := unsyncedLinger
	if s.cfg.Durability == Sync {
		if waiting <= fewWaiting && time.Since(s.synced) > quietAfter {
			return
		}
		wait = min(maxLinger, s.took)
	}
	if wait > 0 && !s.finishing.Load() {
		time.Sleep(wait)
	}
}

// serve takes the group that has formed to its end.
func (s *syncer) serve() {
	g := s.queue.take()
	if err := s.write(g); err != nil {
		s.fail(err, g)
		return
	}
	for _, v := range g.versions {
		s.index.Commit(v)
	}
	s.queue.settled()
	s.tell(g, nil)
	s.queue.giveBack(g)
	s.cfg.Synced()
}

func (s *syncer) tell(g *group, err error) {
	for _, d := range g.dones {
		if d != nil {
			d.Done(err)
		}
	}
}

// write writes a group, and with Sync syncs it. A group without records only waited for the one before it.
func (s *syncer) write(g *group) error {
	if len(g.buf) == 0 {
		return nil
	}
	if s.file == nil {
		return s.failure
	}
	if err := s.watch(); err != nil {
		return err
	}
	s.marked = false
	putMark((*[markSize]byte)(g.buf), s.salt, s.written+1, s.durable)
	if _, err := s.file.Write(g.buf); err != nil {
		return err
	}
	s.size += int64(len(g.buf))
	s.journalBytes.Add(int64(len(g.buf)))
	s.written = g.last
	if s.cfg.Durability == Sync {
		return s.sync()
	}
	return nil
}

// sync makes durable what was written.
func (s *syncer) sync() error {
	began := time.Now()
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.synced = time.Now()
	s.took = s.synced.Sub(began)
	s.durable, s.safe = s.written, s.size
	return nil
}

// fail takes no more changes and rolls back those of g, which could not be written, and those that wait behind
// it. Nobody is told that a change was made which was not.
func (s *syncer) fail(err error, g ...*group) {
	s.failure = err
	s.cfg.Logger.Error("the disk fails: registrations are refused until it can be written again",
		"file", journalName(s.cfg.Dir, s.generation), "error", err, "retry_every", retryEvery)
	s.queue.refuse()
	// What the disk may have of the group is taken off again, so that it does not come back after a restart.
	if s.file != nil {
		s.file.Truncate(s.acknowledged())
		s.leave()
	}
	for i := range g {
		g[i] = s.detach(g[i])
	}
	g = append(g, s.detach(s.queue.take()))
	for _, g := range slices.Backward(g) {
		for _, v := range slices.Backward(g.versions) {
			s.index.Rollback(v)
		}
	}
	for _, g := range g {
		s.tell(g, location.ErrUnavailable)
	}
	s.cfg.Synced()
}

// leave closes the file.
func (s *syncer) leave() error {
	err := firstError(s.file.Close(), s.held.Close())
	s.file, s.held = nil, nil
	return err
}

// acknowledged is how much of the file holds what was acknowledged.
func (s *syncer) acknowledged() int64 {
	if s.cfg.Durability == Sync {
		return s.safe
	}
	return s.size
}

// detach returns a copy of g that is not the queue's, and gives g back.
func (s *syncer) detach(g *group) *group {
	own := &group{versions: slices.Clone(g.versions), dones: slices.Clone(g.dones)}
	s.queue.giveBack(g)
	return own
}

// rotate begins a new generation.
func (s *syncer) rotate() rotated {
	if s.file == nil {
		return rotated{}
	}
	if s.durable < s.written {
		if err := s.sync(); err != nil {
			s.fail(err)
			return rotated{}
		}
	}
	was, file, held := s.generation, s.file, s.held
	if err := s.begin(s.generation + 1); err != nil && s.generation != was {
		s.fail(err)
		return rotated{}
	} else if err != nil {
		s.cfg.Logger.Error("no new journal can be begun, the old one grows on", "error", err)
		return rotated{}
	}
	file.Close()
	held.Close()
	return rotated{s.generation, s.journalBytes.Swap(0)}
}

// first begins the first journal of this start. Where times of the records that were read were changed, all is written
// anew, for a folder has the times of one clock.
func (s *syncer) first(l *loader) error {
	if l.blocks.moved {
		return s.renew(l.generation)
	}
	return s.begin(l.generation)
}

// begin makes the journal of a generation, empty, and goes on in it. All that was written is durable. With an error the
// syncer is where it was; its generation is the new one if that was begun all the same, and must not be begun again.
func (s *syncer) begin(generation uint64) error {
	name := journalName(s.cfg.Dir, generation)
	f, err := s.cfg.FS.Create(name)
	if err != nil {
		return err
	}
	h := header{journalMagic, generation, s.written + 1, rand.Uint64()}
	if _, err = f.Write(h.append(nil)); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.cfg.FS.SyncDir(s.cfg.Dir)
	}
	if err != nil {
		f.Close()
		s.cfg.FS.Remove(name)
		return err
	}
	s.generation = generation
	held, err := s.cfg.FS.Hold(name)
	if err == nil {
		l := latest{generation: generation, next: h.first, salt: h.salt, ahead: s.ahead}
		if err = l.write(s.cfg.FS, s.cfg.Dir); err != nil {
			held.Close()
		}
	}
	if err != nil {
		f.Close()
		return err
	}
	s.file, s.held, s.salt = f, held, h.salt
	s.size, s.safe, s.marked = headerSize, headerSize, true
	return nil
}

// end closes the file, after run. A last mark says that all of it is durable, so that later damage to any of it
// is noticed, and the file of the latest journal says how far it goes.
func (s *syncer) end() error {
	if s.file == nil {
		return s.failure
	}
	err := s.file.Sync()
	if err == nil && !s.marked {
		err = s.mark()
	}
	if err == nil && s.folder.held.Same() {
		err = s.writeLatest()
	}
	return firstError(err, s.leave())
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
