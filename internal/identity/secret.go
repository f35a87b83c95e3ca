package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/purser-cloud/purser/internal/ident"
)

// Secret is text that is never printed: not by fmt, not by a log, not by JSON.
type Secret string

const masked = "********"

// String is the mask.
func (Secret) String() string { return masked }

// GoString is the mask.
func (Secret) GoString() string { return masked }

// LogValue is the mask.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON is the mask.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// Reveal is the secret itself, for the one answer in which it is shown.
func (s Secret) Reveal() string { return string(s) }

// Sealer seals secrets at rest with AES-256-GCM, each bound to the name it is kept under.
type Sealer struct {
	aead   cipher.AEAD
	random io.Reader
}

// keyBytes is the length of the sealing key.
const keyBytes = 32

// NewSealer makes a sealer of 32 bytes.
func NewSealer(key []byte, random io.Reader) (*Sealer, error) {
	if len(key) != keyBytes {
		return nil, fmt.Errorf("the sealing key has %d bytes, not %d", len(key), keyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &Sealer{aead, random}, err
}

// seal encrypts a secret under a name.
func (s *Sealer) seal(name string, secret Secret) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(secret)+s.aead.Overhead())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return s.aead.Seal(nonce, nonce, []byte(secret), []byte(name)), nil
}

// open decrypts what was sealed under the name.
func (s *Sealer) open(name string, sealed []byte) (Secret, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return "", errors.New("a sealed secret is cut short")
	}
	text, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(name))
	if err != nil {
		return "", errors.New("a secret cannot be opened with this key: is it the key file that belongs to the store?")
	}
	return Secret(text), nil
}

// LoadKey finds the sealing key: the given text (base64 or hex), else the file's, which is made with mode 0600
// when there is none.
func LoadKey(given, file string, random io.Reader) ([]byte, error) {
	if given != "" {
		key, err := parseKey(given)
		if err != nil {
			return nil, fmt.Errorf("PURSER_KEY: %w", err)
		}
		return key, nil
	}
	text, err := os.ReadFile(file)
	if err == nil {
		key, err := parseKey(string(text))
		if err != nil {
			return nil, fmt.Errorf("key file %s: %w", file, err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key file: %w", err)
	}
	key := make([]byte, keyBytes)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	// Exclusive: of two programs that start at once, one makes the key and the other reads it.
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return LoadKey("", file, random)
	}
	if err != nil {
		return nil, fmt.Errorf("make the key file: %w", err)
	}
	if _, err := f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n"); err != nil {
		return nil, errors.Join(fmt.Errorf("write the key file: %w", err), f.Close())
	}
	return key, f.Close()
}

// SubKey derives a secret for one purpose from the sealing key: the same on every node and after every restart, and
// of no help to find the key.
func SubKey(key []byte, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, purpose, keyBytes)
}

func parseKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if key, err := hex.DecodeString(text); err == nil && len(key) == keyBytes {
		return key, nil
	}
	if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == keyBytes {
		return key, nil
	}
	return nil, errors.New("must be 32 bytes in base64 or hex")
}

// Password hashing: argon2id with 19 MiB and two passes, the least that OWASP names.
const (
	passMemory = 19 << 10 // KiB
	passTime   = 2
	passBytes  = 32
	saltBytes  = 16
)

// hashPassword makes salt ∥ hash.
func hashPassword(random io.Reader, password Secret) ([]byte, error) {
	salt := make([]byte, saltBytes, saltBytes+passBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, fmt.Errorf("hash the password: %w", err)
	}
	return append(salt, argon2.IDKey([]byte(password), salt, passTime, passMemory, 1, passBytes)...), nil
}

// samePassword takes the same time whether or not there is a hash to compare with.
func samePassword(kept []byte, password Secret) bool {
	exists := len(kept) == saltBytes+passBytes
	if !exists {
		kept = make([]byte, saltBytes+passBytes)
	}
	got := argon2.IDKey([]byte(password), kept[:saltBytes], passTime, passMemory, 1, passBytes)
	return subtle.ConstantTimeCompare(got, kept[saltBytes:]) == 1 && exists
}

// fingerprint is how a token is kept: a thief of the store cannot use it.
func fingerprint(token Secret) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// NewPassword draws a password of 20 letters and digits.
func (d *Desk) NewPassword() (Secret, error) {
	text, err := ident.NewSecret(d.random, 20)
	return Secret(text), err
}
