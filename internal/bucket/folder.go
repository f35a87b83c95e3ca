package bucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Names in a folder that are no objects.
const (
	metaSuffix = ".meta"
	temporary  = ".part-"
)

// folder keeps objects as files below a root.
type folder struct{ root string }

func newFolder(root string) (*folder, error) {
	if root == "" {
		return nil, errors.New("bucket: a folder is needed")
	}
	if err := os.MkdirAll(root, 0o750); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	return &folder{root}, nil
}

func (f *folder) path(key string) string { return filepath.Join(f.root, filepath.FromSlash(key)) }

// Put writes beside, syncs and renames: metadata first, so that an object never lacks its own.
func (f *folder) Put(_ context.Context, key string, body io.ReadSeeker, meta map[string]string) error {
	if err := check(key); err != nil {
		return err
	}
	path := f.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	if len(meta) > 0 {
		text, err := json.Marshal(meta)
		if err != nil {
			return err
		}
		if err := replace(path+metaSuffix, strings.NewReader(string(text))); err != nil {
			return fmt.Errorf("put %s: %w", key, err)
		}
	}
	if err := replace(path, body); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

func replace(path string, body io.Reader) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), temporary+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name()) //nolint:errcheck // the first error is told
		}
	}()
	if _, err = io.Copy(file, body); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (f *folder) Get(_ context.Context, key string) (io.ReadCloser, map[string]string, error) {
	if err := check(key); err != nil {
		return nil, nil, err
	}
	file, err := os.Open(f.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("get %s: %w", key, err)
	}
	text, err := os.ReadFile(f.path(key) + metaSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return file, nil, nil
	}
	meta := map[string]string{}
	if err == nil {
		if broken := json.Unmarshal(text, &meta); broken != nil {
			meta = nil // somebody's hands: the object is there, its metadata are not
		}
	}
	return file, meta, err
}

func (f *folder) List(ctx context.Context, prefix string, each func(Object) error) error {
	from, _, _ := cutLast(prefix)
	var all []Object
	err := filepath.WalkDir(f.path(from), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(f.root, path)
		key := filepath.ToSlash(rel)
		if err != nil || !strings.HasPrefix(key, prefix) || strings.HasSuffix(key, metaSuffix) || strings.HasPrefix(d.Name(), temporary) {
			return err
		}
		info, err := d.Info()
		if err == nil {
			all = append(all, Object{key, info.Size()})
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list %s: %w", prefix, err)
	}
	slices.SortFunc(all, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	for _, o := range all {
		if err := errors.Join(ctx.Err(), each(o)); err != nil {
			return err
		}
	}
	return nil
}

// cutLast cuts a key behind its last slash.
func cutLast(key string) (dir, name string, found bool) {
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		return key[:i], key[i+1:], true
	}
	return "", key, false
}

func (f *folder) Delete(_ context.Context, key string) error {
	if err := check(key); err != nil {
		return err
	}
	for _, path := range []string{f.path(key), f.path(key) + metaSuffix} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete %s: %w", key, err)
		}
	}
	return nil
}
