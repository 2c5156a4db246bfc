package defence

const (
	// shards is how many parts a table has, each with a lock of its own: readers of many cores seldom meet.
	shards, shardBits = 64, 6

	// ways is how many records one set has. With eight, a table that is half full gives up few that still count.
	ways = 8

	// maxSets is how many sets a shard may have: 65,536 records in all, of which a source takes two and each user of
	// its one more. At 152 bytes and an eighth for the index they take 10 MiB, however many sources attack.
	maxSets = 65536 / shards / ways

	// filterWords is the size of a shard's filter: twice as many bits as it has records, 16 KiB in all. It spares nearly
	// all good requests a lock.
	filterWords = 2 * maxSets * ways / 64

	// maxName is how much of a user's name is kept to be shown, in bytes. Users are told apart by all of it.
	maxName = 40

	// attackTries is how many wrong passwords from all sources together make a user one who is attacked.
	attackTries = 100

	// attackedTries is how many tries for one user a source has while that user is attacked, or while the source is
	// throttled and the user is registered from it: as many as a person needs who mistypes.
	attackedTries = 3

	// MaxRules is how many rules an administrator may give: a list that a person can read. More is a firewall's
	// business.
	MaxRules = 1000
)
