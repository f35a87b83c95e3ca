// Package bucket is object storage: a folder of this machine, or a bucket of any service that speaks S3.
//
// It does not own what is kept in it, nor who may ask for what: keys come from rooms, an address from the settings.
//
// Keys are paths with slashes. An object may carry metadata, a few short texts; in a folder they lie beside it, in a file
// whose name ends in .meta.
//
// Invariants: an object is there whole or not at all; putting the same one again changes nothing; no key leads out of the
// folder or the prefix.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"
)

// ErrNotFound says that there is no such object.
var ErrNotFound = errors.New("bucket: no such object")

// Object is one that List found.
type Object struct {
	Key  string
	Size int64 // bytes
}

// Store is where objects are put.
type Store interface {
	// Put keeps an object in place of the one that was there. The body is read twice.
	Put(ctx context.Context, key string, body io.ReadSeeker, meta map[string]string) error
	// Get opens an object, or says ErrNotFound. Close the body. Names of metadata are in lower case.
	Get(ctx context.Context, key string) (body io.ReadCloser, meta map[string]string, err error)
	// List calls each for every object whose key begins with the prefix, in the order of their keys.
	List(ctx context.Context, prefix string, each func(Object) error) error
	// Delete forgets an object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Keys are what an S3 service knows us by.
type Keys struct{ Access, Secret, Token string }

// Open opens a folder's path, or an S3 service: s3+https://HOST/BUCKET[/PREFIX][?region=R][&style=host]. style=host puts
// the bucket's name before the host instead of into the path. clock is real time, for signatures.
func Open(address string, keys Keys, clock func() time.Time) (Store, error) {
	if !strings.HasPrefix(address, "s3+") {
		return newFolder(address)
	}
	at, err := url.Parse(strings.TrimPrefix(address, "s3+"))
	if err != nil {
		return nil, fmt.Errorf("bucket address: %w", err)
	}
	name, prefix, _ := strings.Cut(strings.Trim(at.Path, "/"), "/")
	if at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || name == "" || at.User != nil {
		return nil, errors.New("bucket address: want s3+https://HOST/BUCKET[/PREFIX][?region=R], keys apart from it")
	}
	if keys.Access == "" || keys.Secret == "" {
		return nil, errors.New("bucket address: S3 needs an access key and a secret key")
	}
	if prefix != "" {
		prefix += "/"
	}
	region := at.Query().Get("region")
	if region == "" {
		region = "us-east-1"
	}
	return &s3{scheme: at.Scheme, host: at.Host, bucket: name, prefix: prefix, region: region, hosted: at.Query().Get("style") == "host", keys: keys, clock: clock, client: newClient()}, nil
}

// OpenThere is Open for who only reads: a folder must be there already, and is never made.
func OpenThere(address string, keys Keys, clock func() time.Time) (Store, error) {
	if !strings.HasPrefix(address, "s3+") {
		switch about, err := os.Stat(address); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("there is no folder %s", address)
		case err != nil:
			return nil, err
		case !about.IsDir():
			return nil, fmt.Errorf("%s is not a folder", address)
		}
	}
	return Open(address, keys, clock)
}

// keyMost is the longest key, in bytes (S3's own bound).
const keyMost = 1024

// check refuses keys that no object may have.
func check(key string) error {
	if key == "" || len(key) > keyMost || strings.HasSuffix(key, metaSuffix) || strings.ContainsAny(key, "\x00\\") {
		return fmt.Errorf("bucket: %q is no key", key)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." || strings.HasPrefix(part, temporary) {
			return fmt.Errorf("bucket: %q is no key", key)
		}
	}
	return nil
}

// Within is a part of a store: what lies below a prefix, seen without it.
func Within(s Store, prefix string) Store { return &within{s, strings.Trim(prefix, "/") + "/"} }

type within struct {
	under  Store
	prefix string
}

func (w *within) Put(ctx context.Context, key string, body io.ReadSeeker, meta map[string]string) error {
	return w.under.Put(ctx, w.prefix+key, body, meta)
}

func (w *within) Get(ctx context.Context, key string) (io.ReadCloser, map[string]string, error) {
	return w.under.Get(ctx, w.prefix+key)
}

func (w *within) List(ctx context.Context, prefix string, each func(Object) error) error {
	return w.under.List(ctx, w.prefix+prefix, func(o Object) error {
		o.Key = strings.TrimPrefix(o.Key, w.prefix)
		return each(o)
	})
}

func (w *within) Delete(ctx context.Context, key string) error {
	return w.under.Delete(ctx, w.prefix+key)
}
