// Package ident mints the ids of purser: a type for each noun, with the provider's looks.
//
// It does not own what an id names. Randomness and time are given, so that a run can be repeated.
//
// Invariant: an id has at least 60 random bits, or is a function of what it names (Product); a run of Charges shares 41,
// a trace under a test clock has 28.
package ident

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// The ids, one type a noun.
type (
	DomainID   string // 32 hex
	UserID     string // 32 hex
	GroupID    string // 32 hex
	ProjectID  string // 32 hex
	AccessKey  string // 20 of A-Z0-9
	ProductID  string // OFFI and 18 digits
	DiscountID string // DI, date, 13 of A-Z0-9
	CouponID   string // CP, date, 12 of A-Z0-9
	TopUpID    string // TU, date, 14 of A-Z0-9
	EntryID    string // LE, instant to the second, 12 of A-Z0-9: later ones sort behind
	AccountNo  string // AT and 15 hex; its accounts of money add the digit of their type
	OrderID    string // CS, instant to the minute, 12 of A-Z0-9
	TradeID    string // CT, date, 12 of A-Z0-9: several orders that are paid together
	InstanceID string // 32 hex: a subscription inside the house
	ResourceID string // UUID: a resource as the cloud names it
	ChargeID   string // FR, date, 13 of A-Z0-9
	PackageID  string // RP, date, 13 of A-Z0-9
	TraceID    string // UUID that begins with an instant: later ones sort behind
	TrackerID  string // UUID
	MessageID  string // MS, instant to the millisecond, 12 of A-Z0-9: later ones sort behind
	WebhookID  string // WH, date, 12 of A-Z0-9
	InvoiceID  string // IV, date, 13 of A-Z0-9
	ContractID string // CN, date, 13 of A-Z0-9
	JobID      string // JB, date, 13 of A-Z0-9
	MoveID     string // MV, instant to the second, 12 of A-Z0-9: later ones sort behind

	EnterpriseProjectID string // UUID
)

const (
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	mixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// NewDomainID mints the id of an account.
func NewDomainID(random io.Reader) (DomainID, error) { return hex32[DomainID](random) }

// NewUserID mints the id of a user.
func NewUserID(random io.Reader) (UserID, error) { return hex32[UserID](random) }

// NewGroupID mints the id of a user group.
func NewGroupID(random io.Reader) (GroupID, error) { return hex32[GroupID](random) }

// NewProjectID mints the id of a project (a region's share of an account).
func NewProjectID(random io.Reader) (ProjectID, error) { return hex32[ProjectID](random) }

// NewAccessKey mints the public half of a key pair.
func NewAccessKey(random io.Reader) (AccessKey, error) {
	text, err := letters(random, upper, 20)
	return AccessKey(text), err
}

// NewSecret mints a secret of n letters and digits: a secret key (40), a password, a token.
func NewSecret(random io.Reader, n int) (string, error) { return letters(random, mixed, n) }

// NewDiscountID mints the id of a discount granted at an instant (UTC date).
func NewDiscountID(random io.Reader, at time.Time) (DiscountID, error) {
	text, err := letters(random, upper, 13)
	return DiscountID("DI" + at.UTC().Format("060102") + text), err
}

// NewCouponID mints the id of a coupon issued at an instant (UTC date).
func NewCouponID(random io.Reader, at time.Time) (CouponID, error) {
	text, err := letters(random, upper, 12)
	return CouponID("CP" + at.UTC().Format("060102") + text), err
}

// NewCouponCode mints the 16 digits that activate an offline coupon.
func NewCouponCode(random io.Reader) (string, error) { return letters(random, "0123456789", 16) }

// NewTopUpID mints the id of a payment into the balance that is begun at an instant (UTC date).
func NewTopUpID(random io.Reader, at time.Time) (TopUpID, error) {
	text, err := letters(random, upper, 14)
	return TopUpID("TU" + at.UTC().Format("060102") + text), err
}

// NewEntryID mints the id of a ledger entry booked at an instant (UTC).
func NewEntryID(random io.Reader, at time.Time) (EntryID, error) {
	text, err := letters(random, upper, 12)
	return EntryID("LE" + at.UTC().Format("060102150405") + text), err
}

// NewAccountNo mints the number of a customer's accounts of money.
func NewAccountNo(random io.Reader) (AccountNo, error) {
	text, err := letters(random, "0123456789ABCDEF", 15)
	return AccountNo("AT" + text), err
}

// NewOrderID mints the id of an order placed at an instant (UTC).
func NewOrderID(random io.Reader, at time.Time) (OrderID, error) {
	text, err := letters(random, upper, 12)
	return OrderID("CS" + at.UTC().Format("0601021504") + text), err
}

// NewTradeID mints the id of a combined purchase at an instant (UTC date).
func NewTradeID(random io.Reader, at time.Time) (TradeID, error) {
	text, err := letters(random, upper, 12)
	return TradeID("CT" + at.UTC().Format("060102") + text), err
}

// NewInstanceID mints the house's own id of a subscription.
func NewInstanceID(random io.Reader) (InstanceID, error) { return hex32[InstanceID](random) }

// NewResourceID mints the id of a resource where the cloud leaves that to the house.
func NewResourceID(random io.Reader) (ResourceID, error) { return uuid[ResourceID](random) }

// NewEnterpriseProjectID mints the id of an enterprise project.
func NewEnterpriseProjectID(random io.Reader) (EnterpriseProjectID, error) {
	return uuid[EnterpriseProjectID](random)
}

// NewMoveID mints the id of a resource's move between enterprise projects at an instant (UTC).
func NewMoveID(random io.Reader, at time.Time) (MoveID, error) {
	text, err := letters(random, upper, 12)
	return MoveID("MV" + at.UTC().Format("060102150405") + text), err
}

// NewTraceID mints the id of a trace of an instant: a UUID of version 7, later ones sort behind. Where a test clock stands, so that many
// are of one instant, they sort by real time, to the millisecond (in 36 bits: for two years), and 28 bits are left to chance.
func NewTraceID(random io.Reader, at, real time.Time) (TraceID, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		return "", fmt.Errorf("mint an id: %w", err)
	}
	millis := uint64(max(at.UnixMilli(), 0))
	for i := range 6 {
		b[i] = byte(millis >> (8 * (5 - i)))
	}
	micros := at.UnixMicro() % 1000 // in ten bits behind the version
	if !real.Equal(at) {
		tail := binary.BigEndian.Uint64(b[8:])<<36>>36 | uint64(real.UnixMilli())<<28
		b[7] = byte(uint64(real.UnixMilli()) >> 34)
		binary.BigEndian.PutUint64(b[8:], tail)
	}
	b[6], b[7], b[8] = 0x70|byte(micros>>6&0x0f), byte(micros<<2)|b[7]&3, b[8]&0x3f|0x80
	var text [36]byte
	hex.Encode(text[0:], b[:4])
	hex.Encode(text[9:], b[4:6])
	hex.Encode(text[14:], b[6:8])
	hex.Encode(text[19:], b[8:10])
	hex.Encode(text[24:], b[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return TraceID(text[:]), nil
}

// NewTrackerID mints the id of a tracker or of a notification.
func NewTrackerID(random io.Reader) (TrackerID, error) { return uuid[TrackerID](random) }

// NewChargeID mints the id of a fee record made at an instant (UTC date).
func NewChargeID(random io.Reader, at time.Time) (ChargeID, error) {
	text, err := letters(random, upper, 13)
	return ChargeID("FR" + at.UTC().Format("060102") + text), err
}

// Charges mints the ids of fee records that are made together, a run of neighbours: thousands of a bucket of usage would
// otherwise each touch another page of the engine's index.
type Charges struct{ next [chargeLetters]byte }

// A run's ids: 2 letters of when in the day, 8 that are random, 3 that count.
const (
	chargeLetters = 13
	chargeMoment  = 2
	chargeRandom  = 8
	ascending     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" // upper, as it sorts
)

// NewCharges begins a run of ids of fee records made at an instant (UTC date).
func NewCharges(random io.Reader, at time.Time) (Charges, error) {
	var c Charges
	at = at.UTC()
	moment := (at.Hour()*3600 + at.Minute()*60 + at.Second()) * len(ascending) * len(ascending) / (24 * 3600)
	drawn, err := letters(random, ascending, chargeRandom)
	if err != nil {
		return c, err
	}
	c.next[0], c.next[1] = ascending[moment/len(ascending)], ascending[moment%len(ascending)]
	copy(c.next[chargeMoment:], drawn)
	for i := chargeMoment + chargeRandom; i < chargeLetters; i++ {
		c.next[i] = ascending[0]
	}
	return c, nil
}

// Next is the next id of the run, made at the same instant.
func (c *Charges) Next(at time.Time) ChargeID {
	id := ChargeID("FR" + at.UTC().Format("060102") + string(c.next[:]))
	for i := chargeLetters - 1; i >= 0; i-- {
		n := strings.IndexByte(ascending, c.next[i]) + 1
		if c.next[i] = ascending[n%len(ascending)]; n < len(ascending) {
			break
		}
	}
	return id
}

// NewPackageID mints the id of a resource package granted at an instant (UTC date).
func NewPackageID(random io.Reader, at time.Time) (PackageID, error) {
	text, err := letters(random, upper, 13)
	return PackageID("RP" + at.UTC().Format("060102") + text), err
}

// NewMessageID mints the id of a message for the outside, recorded at an instant (UTC).
func NewMessageID(random io.Reader, at time.Time) (MessageID, error) {
	text, err := letters(random, upper, 12)
	return MessageID("MS" + strings.Replace(at.UTC().Format("060102150405.000"), ".", "", 1) + text), err
}

// NewWebhookID mints the id of a webhook registered at an instant (UTC date).
func NewWebhookID(random io.Reader, at time.Time) (WebhookID, error) {
	text, err := letters(random, upper, 12)
	return WebhookID("WH" + at.UTC().Format("060102") + text), err
}

// NewContractID mints the id of a contract applied for at an instant (UTC date).
func NewContractID(random io.Reader, at time.Time) (ContractID, error) {
	text, err := letters(random, upper, 13)
	return ContractID("CN" + at.UTC().Format("060102") + text), err
}

// NewInvoiceID mints the id of an invoice applied for at an instant (UTC date).
func NewInvoiceID(random io.Reader, at time.Time) (InvoiceID, error) {
	text, err := letters(random, upper, 13)
	return InvoiceID("IV" + at.UTC().Format("060102") + text), err
}

// NewJobID mints the id of long work begun at an instant (UTC date).
func NewJobID(random io.Reader, at time.Time) (JobID, error) {
	text, err := letters(random, upper, 13)
	return JobID("JB" + at.UTC().Format("060102") + text), err
}

// Product is the id of a product: the same for the same service, resource type, region and spec.
func Product(service, resourceType, region, spec string) ProductID {
	sum := sha256.Sum256([]byte(service + "\x00" + resourceType + "\x00" + region + "\x00" + spec))
	return ProductID(fmt.Sprintf("OFFI%018d", binary.BigEndian.Uint64(sum[:8])%1_000_000_000_000_000_000))
}

func hex32[T ~string](random io.Reader) (T, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("mint an id: %w", err)
	}
	return T(hex.EncodeToString(b[:])), nil
}

func uuid[T ~string](random io.Reader) (T, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("mint an id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // version 4, variant 1
	return T(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])), nil
}

// letters draws n characters of the alphabet, each equally likely: bytes past the last whole multiple are drawn again.
func letters(random io.Reader, alphabet string, n int) (string, error) {
	out := make([]byte, 0, n)
	whole := 256 - 256%len(alphabet)
	buffer := make([]byte, n)
	for len(out) < n {
		if _, err := io.ReadFull(random, buffer); err != nil {
			return "", fmt.Errorf("mint an id: %w", err)
		}
		for _, b := range buffer {
			if int(b) < whole && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out), nil
}

// Stream is randomness that follows from what it is for: what the clock makes has the same ids when it is made again.
func Stream(parts ...string) io.Reader {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return &stream{seed: sum}
}

// stream is SHA-256 of the seed and a counter, block by block.
type stream struct {
	seed  [32]byte
	n     uint64
	block []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for i := range p {
		if len(s.block) == 0 {
			next := sha256.Sum256(binary.BigEndian.AppendUint64(s.seed[:], s.n))
			s.block, s.n = next[:], s.n+1
		}
		p[i], s.block = s.block[0], s.block[1:]
	}
	return len(p), nil
}
