package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"biloxi/admin"
	"biloxi/config"
	"biloxi/digest"
	"biloxi/server"
	"biloxi/sip"
	"biloxi/store/journal"
	"biloxi/store/sqlite"
	"biloxi/subscriber"
)

// dataFlags say which server, or which data folder, an administrator means.
type dataFlags struct {
	Config string `placeholder:"FILE" help:"Configuration file of the server. Default: $BILOXI_CONFIG, biloxi.toml in the data folder (serve --demo puts it there), or /etc/biloxi/biloxi.toml, whichever is there."`
	Data   string `placeholder:"DIR" help:"Data folder of the server. Default: what the configuration says; biloxi-data without one."`
	JSON   bool   `name:"json" help:"Write JSON."`
}

// systemConfig is where a package puts the configuration.
const systemConfig = "/etc/biloxi/biloxi.toml"

// load reads the configuration that the flags and the environment name, or that is where one is to be
// expected.
func (f *dataFlags) load(c *console) (config.Config, error) {
	if file := firstOf(f.Config, c.env("BILOXI_CONFIG")); file != "" {
		return loadConfig(c, file, f.Data)
	}
	cfg, err := loadConfig(c, "", f.Data)
	if err != nil {
		return cfg, err
	}
	if file := filepath.Join(cfg.Data, demoConfig); exists(file) {
		return loadConfig(c, file, cfg.Data)
	}
	if f.Data == "" && c.env("BILOXI_DATA") == "" && !exists(cfg.Data) && exists(systemConfig) {
		return loadConfig(c, systemConfig, "")
	}
	return cfg, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// loadConfig reads a configuration file, or with none the defaults; data, if given, stands above it.
func loadConfig(c *console, file, data string) (cfg config.Config, err error) {
	if file == "" {
		cfg, err = config.FromEnvironment(c.Environ)
	} else {
		cfg, err = config.Load(file, c.Environ)
	}
	if data != "" {
		cfg.Data = data
	}
	return cfg, err
}

// ask calls do with the server that runs on the data folder.
func (f *dataFlags) ask(c *console, do func(context.Context, admin.Admin) error) error {
	cfg, err := f.load(c)
	if err != nil {
		return err
	}
	running, err := admin.IsRunning(context.Background(), cfg.Data)
	if err != nil {
		return err
	}
	if !running {
		return fmt.Errorf("no server runs on %s; name another data folder with --data, or the server's configuration with --config", cfg.Data)
	}
	client := admin.NewClient(cfg.Data)
	defer client.Close()
	return do(context.Background(), client)
}

// administer calls do with who administers the data folder: the server that runs on it or, if none does,
// this process with the stores open. create makes a folder that is not there.
func (f *dataFlags) administer(c *console, create bool, do func(context.Context, admin.Admin) error) error {
	cfg, err := f.load(c)
	if err != nil {
		return err
	}
	ctx := context.Background()
	running, err := admin.IsRunning(ctx, cfg.Data)
	if err != nil {
		return err
	}
	if running {
		client := admin.NewClient(cfg.Data)
		defer client.Close()
		return do(ctx, client)
	}
	if _, err := os.Stat(cfg.Data); errors.Is(err, fs.ErrNotExist) && !create {
		return fmt.Errorf("there is no data folder %s; name it with --data, or the server's configuration with --config", cfg.Data)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	if err := checkOwner(cfg.Data); err != nil {
		return err
	}
	bindings := &closedLocations{cfg: cfg}
	if err := bindings.share(); err != nil {
		return err
	}
	subscribers, err := sqlite.Open(filepath.Join(cfg.Data, server.SubscriberFile))
	if err != nil {
		return errors.Join(err, bindings.close())
	}
	err = do(ctx, &admin.Direct{
		Domains:     func() []config.Domain { return cfg.Domains },
		Subscribers: subscribers,
		Locations:   bindings.open,
		Hash:        hashPassword,
		Now:         time.Now,
	})
	return errors.Join(err, bindings.close(), subscribers.Close())
}

// hashPassword computes what is stored of a password and a digest username: the HA1 for every algorithm, so that a
// domain may offer others later.
func hashPassword(username, realm, password string) subscriber.HA1s {
	var h subscriber.HA1s
	var ha1 [32]byte
	for _, a := range []sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256} {
		digest.HA1(a, []byte(username), []byte(realm), []byte(password), &ha1)
		h.Set(a, ha1[:a.Size()])
	}
	return h
}

// checkOwner refuses to work on files that another user's server made: it could not open what this user
// makes beside them, which root would do without a word.
func checkOwner(data string) error {
	for _, name := range []string{server.SubscriberFile, server.LocationFolder} {
		path := filepath.Join(data, name)
		var st unix.Stat_t
		if unix.Stat(path, &st) != nil || int(st.Uid) == os.Geteuid() {
			continue
		}
		owner := "#" + strconv.FormatUint(uint64(st.Uid), 10)
		if u, err := user.LookupId(owner[1:]); err == nil {
			owner = u.Username
		}
		return fmt.Errorf("%s belongs to user %s: run this as that user, with sudo -u %s", path, owner, shellQuote(owner))
	}
	return nil
}

// closedLocations is the location service of a data folder that no server runs on: it is opened when it
// is first used, because that reads all of it. Until then the folder is shared, so that no server starts
// and reads subscribers that are being changed.
type closedLocations struct {
	cfg     config.Config
	release func() // ends sharing
	journal *journal.Journal
}

func (l *closedLocations) folder() string { return filepath.Join(l.cfg.Data, server.LocationFolder) }

func (l *closedLocations) share() (err error) {
	l.release, err = journal.Share(l.folder())
	return l.explain(err)
}

func (l *closedLocations) explain(err error) error {
	if errors.Is(err, journal.ErrLocked) {
		return fmt.Errorf("a server uses %s, but does not answer at %s: if it has just been started, try again in a moment",
			l.cfg.Data, filepath.Join(l.cfg.Data, admin.SocketName))
	}
	return err
}

func (l *closedLocations) open() (admin.Locations, error) {
	if l.journal != nil {
		return l.journal, nil
	}
	l.release()
	j, err := journal.Open(journal.Config{Dir: l.folder()})
	if err != nil {
		return nil, l.explain(err)
	}
	l.journal = j
	return j, nil
}

func (l *closedLocations) close() error {
	if l.journal == nil {
		l.release()
		return nil
	}
	return l.journal.Close()
}
