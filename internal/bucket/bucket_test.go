package bucket

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// cloud is a small S3 service in memory, for these tests. It checks each signature by making it again.
type cloud struct {
	mu      sync.Mutex
	objects map[string][]byte
	meta    map[string]http.Header
	failing int // how many requests are answered 503 first
	at      *s3
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failing > 0 {
		c.failing--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	again := r.Clone(context.Background())
	again.URL.Host, again.URL.RawQuery = r.Host, r.URL.RawQuery
	given := r.Header.Get("Authorization")
	for name := range again.Header {
		if !strings.Contains(given, strings.ToLower(name)+";") && !strings.Contains(given, strings.ToLower(name)+",") {
			again.Header.Del(name)
		}
	}
	stamp, _ := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	mine := *c.at
	mine.clock = func() time.Time { return stamp }
	mine.sign(again, r.Header.Get("X-Amz-Content-Sha256"))
	if again.Header.Get("Authorization") != given {
		http.Error(w, "SignatureDoesNotMatch", http.StatusForbidden)
		return
	}
	key, _ := strings.CutPrefix(r.URL.Path, "/audit/")
	switch {
	case r.URL.Path == "/audit":
		c.list(w, r)
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		c.objects[key], c.meta[key] = body, r.Header
	case r.Method == http.MethodDelete:
		delete(c.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case c.objects[key] == nil:
		http.Error(w, "NoSuchKey", http.StatusNotFound)
	default:
		for name, value := range c.meta[key] {
			if strings.HasPrefix(name, metaHeader) {
				w.Header()[name] = value
			}
		}
		w.Write(c.objects[key]) //nolint:errcheck // a test's
	}
}

// list answers two objects a page.
func (c *cloud) list(w http.ResponseWriter, r *http.Request) {
	var page struct {
		XMLName xml.Name `xml:"ListBucketResult"`
		listing
	}
	for _, key := range slices.Sorted(maps.Keys(c.objects)) {
		if !strings.HasPrefix(key, r.URL.Query().Get("prefix")) || key <= r.URL.Query().Get("continuation-token") {
			continue
		}
		if len(page.Contents) == 2 {
			page.IsTruncated, page.NextContinuationToken = true, page.Contents[1].Key
			break
		}
		page.Contents = append(page.Contents, struct {
			Key  string
			Size int64
		}{key, int64(len(c.objects[key]))})
	}
	xml.NewEncoder(w).Encode(page) //nolint:errcheck // a test's
}

func stores(t *testing.T) (map[string]Store, *cloud) {
	t.Helper()
	local, err := Open(filepath.Join(t.TempDir(), "store"), Keys{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	service := &cloud{objects: map[string][]byte{}, meta: map[string]http.Header{}}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	far, err := Open("s3+"+server.URL+"/audit/of house?region=ap-southeast-1", Keys{Access: "AK", Secret: "SK"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	service.at = far.(*s3)
	return map[string]Store{"folder": local, "s3": far}, service
}

func TestStore(t *testing.T) {
	all, service := stores(t)
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			meta := map[string]string{"meta-signature": strings.Repeat("0a", 256)}
			for i := range 5 {
				service.failing = 2 // what a service answers while it is overtaxed
				if err := s.Put(ctx, fmt.Sprintf("a/b/%d T:x.json.gz", i), strings.NewReader(fmt.Sprint("body ", i)), meta); err != nil {
					t.Fatal(err)
				}
			}
			service.failing = 0
			body, kept, err := s.Get(ctx, "a/b/3 T:x.json.gz")
			if err != nil || kept["meta-signature"] != meta["meta-signature"] {
				t.Fatalf("%v, %v", err, kept)
			}
			text, _ := io.ReadAll(body)
			body.Close()
			if string(text) != "body 3" {
				t.Errorf("%q", text)
			}
			if err := s.Put(ctx, "other", bytes.NewReader(nil), nil); err != nil {
				t.Error(err)
			}
			var seen []string
			err = Within(s, "a").List(ctx, "b/", func(o Object) error { seen = append(seen, fmt.Sprint(o.Key, " ", o.Size)); return nil })
			if err != nil || len(seen) != 5 || seen[0] != "b/0 T:x.json.gz 6" || !slices.IsSorted(seen) {
				t.Errorf("%v, %q", err, seen)
			}
			for range 2 {
				if err := s.Delete(ctx, "a/b/3 T:x.json.gz"); err != nil {
					t.Error(err)
				}
			}
			if _, _, err := s.Get(ctx, "a/b/3 T:x.json.gz"); !errors.Is(err, ErrNotFound) {
				t.Errorf("after it was deleted: %v", err)
			}
			for _, key := range []string{"", "/a", "a//b", "../a", "a/../../b", "a/./b", "x.meta", `a\b`, strings.Repeat("k", 1025)} {
				if err := s.Put(ctx, key, strings.NewReader(""), nil); err == nil {
					t.Errorf("key %q was taken", key)
				}
			}
		})
	}
}

// A wrong secret is refused by the service, and told.
func TestWrongSecret(t *testing.T) {
	all, service := stores(t)
	far := *all["s3"].(*s3)
	far.keys.Secret = "other"
	err := far.Put(context.Background(), "a", strings.NewReader("x"), nil)
	if err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") || len(service.objects) > 0 {
		t.Errorf("%v", err)
	}
}

// The published example of the signature: GET of an object with a range.
func TestSignature(t *testing.T) {
	s := &s3{region: "us-east-1", keys: Keys{Access: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, clock: func() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) }}
	r, _ := http.NewRequest(http.MethodGet, "https://examplebucket.s3.amazonaws.com/test.txt", nil)
	r.Header.Set("Range", "bytes=0-9")
	s.sign(r, emptyHash)
	if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") {
		t.Error(got)
	}
}

func TestAddresses(t *testing.T) {
	keys := Keys{Access: "a", Secret: "s"}
	for _, address := range []string{"", "s3+https://host", "s3+ftp://host/b", "s3+https://user:pass@host/b"} {
		if _, err := Open(address, keys, time.Now); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
	if _, err := Open("s3+https://host/b", Keys{}, time.Now); err == nil {
		t.Error("no keys")
	}
}

// A write that is cut off leaves no half object and nothing that a list shows.
func TestCutOff(t *testing.T) {
	dir := t.TempDir()
	s, _ := Open(dir, Keys{}, time.Now)
	ctx := context.Background()
	if err := s.Put(ctx, "a/x", strings.NewReader("whole"), nil); err != nil {
		t.Fatal(err)
	}
	broken := io.MultiReader(strings.NewReader("ha"), errReader{})
	if err := s.Put(ctx, "a/x", seeker{broken}, nil); err == nil {
		t.Fatal("a broken body was taken")
	}
	text, err := os.ReadFile(filepath.Join(dir, "a", "x"))
	if err != nil || string(text) != "whole" {
		t.Errorf("%v %q", err, text)
	}
	if names, _ := os.ReadDir(filepath.Join(dir, "a")); len(names) != 1 {
		t.Errorf("%v", names)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("cut off") }

type seeker struct{ io.Reader }

func (seeker) Seek(int64, int) (int64, error) { return 0, nil }
