package sqlite

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// SetImport makes an import's runs and batches small enough for a test.
func (s *Store) SetImport(run, batch int) { s.run, s.batch = run, batch }

// MakeVersion1 makes a file as the first version of the schema has it, with a subscriber.
func MakeVersion1(path, domain, user string) error {
	db, err := sql.Open("sqlite", dataSource(path))
	if err != nil {
		return err
	}
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := p.UpTo(context.Background(), 1); err != nil {
		return err
	}
	_, err = db.Exec("INSERT INTO subscriber (domain, user, realm, md5, created, changed) VALUES (?, ?, 'realm', zeroblob(16), 1, 2)", domain, user)
	return err
}
