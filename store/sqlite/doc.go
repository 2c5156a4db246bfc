// Package sqlite keeps subscribers in a SQLite file: subscriber.Store on one machine.
//
// Several processes may have the file open, as the server and its command line have. It is in WAL mode and
// syncs at every commit, so that a change that was acknowledged survives a loss of power. Passwords are not
// in it, but whoever reads the hashes can authenticate with them: only its owner can open the file.
//
// The schema is in migrations, which Open brings to the latest version.
package sqlite
