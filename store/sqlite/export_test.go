package sqlite

// SetImport makes an import's runs and batches small enough for a test.
func (s *Store) SetImport(run, batch int) { s.run, s.batch = run, batch }
