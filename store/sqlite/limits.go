package sqlite

import "time"

const (
	// busyTimeout is how long a write waits for that of another process. An import holds the file for one
	// batch at a time, far less than a second; a sync of a slow disk is waited for, too.
	busyTimeout = 10 * time.Second

	// maxConns bounds the connections to the file, each of some megabytes: one writer, and a reader each
	// for a long listing and what goes on beside it.
	maxConns = 4

	// importBatch is the number of subscribers in one transaction: enough that the sync at its end does
	// not count, and that other writers wait a fraction of a second.
	importBatch = 10_000

	// importRun is the number of subscribers that an import sorts at once: some 60 MB of memory, and a
	// million in no order write the file four times over.
	importRun = 250_000

	// memoryDisk is where a file is copied to that is on a full disk, if the folder for temporary files is full too.
	memoryDisk = "/dev/shm"

	// migrateTries is how often the schema is brought up to date when another process does the same.
	migrateTries = 20

	// migratePause is the time between.
	migratePause = 100 * time.Millisecond

	// maxPage is the largest page of a list.
	maxPage = 10_000
)
