// Package journal is the embedded location store: an index in memory, and on disk a journal of its changes,
// which reach it in groups with one sync each, and a snapshot, which bounds the journal. A change is
// acknowledged when the disk has it.
//
// # Who owns what
//
// The caller of Update runs the change under the lock of the AOR's shard and appends its outcome to the queue,
// under the queue's lock; it never waits for the disk. One goroutine, the syncer, owns the file: it takes the
// group that has formed, writes and syncs it, makes its changes visible, and then tells their Dones. Another,
// the keeper, drops what has expired and writes snapshots while the syncer goes on. Before all of them Open reads
// the folder: the loader reads and checks the files in order, block by block, and hands each block to goroutines that
// each load the shards of the index that are theirs.
//
// # Files
//
// A data folder holds location.lock, which one server holds at a time, and numbered generations:
// location-N.snapshot is the state of all AORs at the beginning of generation N or later, location-N.journal
// the changes made since then, until the next generation. The state is the snapshot with the highest number
// and the journals from that number on, in order; generation 1 has no snapshot. A record is the whole state of
// one AOR, so that a later one replaces it and reading one twice does no harm.
//
// Each file begins with a header of 40 bytes, little-endian: 8 bytes that name the format and its version, the
// generation (8), the sequence number of the first record (8), a random salt (8), the CRC-32C of these (4), zeros
// (4). Then come records: the CRC-32C of what follows (4), the length of the payload and in the top byte its kind
// (4), the sequence number (8), the payload. The kinds:
//
//   - state: the length of the AOR (varint), the AOR, its location.Record as encoded;
//   - mark, before each group, when nothing has come for a moment, and at the end: the salt, and the number of the last
//     record that was synced when it was written (8);
//   - end, of a snapshot only: the number of its records (8).
//
// The marks tell a torn tail, which is cut, from damage: a record that cannot be read, and was synced by the
// word of a mark behind it or of a later file, was acknowledged, and Open refuses to go on without it.
//
// The file location-latest names the newest journal by generation and salt. It is written before anything is
// acknowledged from that journal, so that Open refuses to go on when the journal is gone, empty, or another one; and
// again when the journal is closed, with the number of records. A folder of the first version has none. The file
// location-reserve only takes room: as much as a snapshot needs on a disk that the journals have filled.
//
// # A disk that fails
//
// A group that cannot be written is rolled back, and no change is taken. Once a second the syncer tries to write all
// there is into a snapshot of the next generation, on a full disk with the room of the reserve; when that succeeds, it
// goes on. So does Open on a disk that can be read and not written. A folder that was moved, removed or replaced is
// such a failure too: what is written there would not be found again. When it is back, so are changes; another folder
// in its place is never written to.
package journal
