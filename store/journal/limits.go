package journal

import (
	"encoding/binary"
	"time"

	"biloxi/location"
)

// Defaults of Config.
const (
	// DefaultInterval is Config.Interval's: a second is what an operator expects to lose of a log.
	DefaultInterval = time.Second

	// DefaultMaxPending is Config.MaxPending's: some 30,000 changes, which a disk that syncs in 100 ms takes
	// in three groups or so. A client gives up after half a second, so more would wait in vain.
	DefaultMaxPending = 16 << 20

	// DefaultSnapshotBytes is Config.SnapshotBytes's: read back in a quarter of a second.
	DefaultSnapshotBytes = 64 << 20
)

const (
	// maxLinger is the longest that a group is kept open for more to come.
	maxLinger = time.Millisecond

	// unsyncedLinger is the same where nobody waits for the disk: each group costs a wake-up and a system call, and
	// what it holds is lost if the server is killed.
	unsyncedLinger = 10 * time.Millisecond

	// quietAfter is how long ago the last sync must be for a change to be synced at once.
	quietAfter = 2 * time.Millisecond

	// fewWaiting is the most changes that are synced at once; more are a burst, of which more is to come.
	fewWaiting = 8

	// retryEvery is how often a failed store tries to write again.
	retryEvery = time.Second

	// keepEvery is how often expiry and the size of the journal are looked at.
	keepEvery = time.Second

	// idleMark is how long nothing must have been written for a mark to tell that all of it is on disk, so that damage
	// to it is not taken for what a crash has cut short. It costs a sync, which nobody waits for.
	idleMark = 250 * time.Millisecond

	// watchEvery is how often the syncer looks whether the folder and its files are still those that it writes to:
	// what is written elsewhere is lost, so that no more than this much is acknowledged.
	watchEvery = 250 * time.Millisecond

	// clockSlack is how far two clocks may be apart, in milliseconds, and count as one.
	clockSlack = 1000

	// reserveStep is what the reserve for a snapshot is a multiple of: a few thousand registrations.
	reserveStep = 1 << 20

	// snapshotOverhead is what a snapshot has beside the live AORs and records, for each AOR and in all, in bytes; the
	// journal that begins after it is in it.
	aorOverhead      = recordHead + binary.MaxVarintLen32
	snapshotOverhead = 64 << 10

	// reserveRetry is how long a reserve that was given up, or could not be had, waits: the journal needs the room
	// first.
	reserveRetry = time.Minute

	// snapshotRetry is how long a snapshot that could not be written waits: it may be large, and the journal
	// serves meanwhile.
	snapshotRetry = 30 * time.Second

	// liveFactor is how many times the size of what is live a journal may have, so that the cost of
	// snapshots stays below that of the changes however many AORs there are.
	liveFactor = 2

	// maxJournals is how many journals may follow a snapshot: each start begins one.
	maxJournals = 16

	// waitBytes is what a change without a record counts against MaxPending: about what waiting costs.
	waitBytes = 64

	// snapshotChunk is how many bytes of a snapshot are written at once.
	snapshotChunk = 1 << 20

	// snapshotSync is how many bytes of a snapshot are written between syncs, so that the sync of a group
	// never waits for all of it.
	snapshotSync = 16 << 20

	// maxPayload is the longest payload of a record.
	maxPayload = binary.MaxVarintLen32 + location.MaxAOR + location.MaxRecord

	// keptBuffer is the largest buffer that is kept for the next group.
	keptBuffer = 4 << 20
)

const (
	// lockPatience is how long Open waits for the lock of the folder before it says that another server has
	// it, and lockPoll how often it looks: long enough for a server that was killed to be gone.
	lockPatience = time.Second
	lockPoll     = 20 * time.Millisecond
)

// Of a start.
const (
	// blockSize is how many bytes of a file are read, and then loaded, at once: several thousand records, of
	// which each shard of the index gets a hundred at a time, and at least one record however large it is.
	blockSize = 1 << 20

	// maxBlocks is how many blocks there are: one is read while others are loaded.
	maxBlocks = 4

	// firstBlock is the size of the first, in which a small folder finds room.
	firstBlock = 64 << 10

	// maxLoaders is how many goroutines load, if there are as many processors: to read and check a record takes
	// a third as long as to load it, so that more would only wait.
	maxLoaders = 4
)

// A block has room for each record.
const _ = uint(blockSize - recordHead - maxPayload)
