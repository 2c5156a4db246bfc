// Package subscriber is the people whom a server serves.
package subscriber

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

type Domain struct{ Name, Realm string }

type HA1s struct {
	MD5        [16]byte
	SHA256     [32]byte
	SHA512_256 [32]byte
	Has        uint8
}

type Subscriber struct {
	User, Domain, Realm string
	HA1s                HA1s
	Created, Changed    time.Time
}

var (
	ErrExists   = errors.New("subscriber exists")
	ErrNotFound = errors.New("no such subscriber")
)

type Store interface {
	Add(ctx context.Context, s Subscriber) error
	Put(ctx context.Context, s Subscriber) error
	Remove(ctx context.Context, user, domain string) error
	Find(ctx context.Context, user, domain string) (Subscriber, error)
	List(ctx context.Context, after string, limit int) (page []Subscriber, next string, err error)
	Import(ctx context.Context, seq iter.Seq2[Subscriber, error]) (n int, err error)
	All(ctx context.Context, fn func(Subscriber) error) error
	Close() error
}

type Cache struct{}

func NewCache() *Cache                                        { return &Cache{} }
func (c *Cache) Load(ctx context.Context, st Store) error     { return nil }
func (c *Cache) Put(s Subscriber)                             {}
func (c *Cache) Remove(user, domain string)                   {}
func (c *Cache) Lookup(user, domain []byte) (h HA1s, ok bool) { return }
func (c *Cache) Len() int                                     { return 0 }
func ParseAOR(s string) (user, domain string, err error)      { return }

type CSV struct {
	Realm func(domain string) (realm string, ok bool)
	Hash  func(user, realm, password string) HA1s
}

func (c CSV) Read(r io.Reader) iter.Seq2[Subscriber, error] {
	return func(func(Subscriber, error) bool) {}
}
