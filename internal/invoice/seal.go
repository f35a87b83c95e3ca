package invoice

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

// Issuer is who issues papers: a legal entity of the house, for some countries or for all that no other has.
type Issuer struct {
	Code      string
	Name      string
	Address   string
	TaxID     string
	Note      string   // at the foot of its papers, such as where to pay
	Prefix    string   // of its numbers; does not change
	Countries []string // ISO 3166-1; none: every country that no other issuer has
	Changed   time.Time
}

// House is the issuer that there is until the operator names one, and the code of the one for all countries.
const House = "house"

// Profile is to whom a customer's papers are addressed.
type Profile struct {
	Customer  string
	Title     string // empty: the name of the account
	Address   string
	Recipient string
	Zip       string
	Phone     string
	Email     string
	Changed   time.Time
}

// Seal is a paper's number, with the addresses that were in force when it was given.
type Seal struct {
	Issuer            Issuer
	No                int64
	Number            string
	Sealed            time.Time // real time
	Enterprise        bool
	Title             string
	TaxID             string
	Country           string
	Address           string
	Recipient         string
	Zip, Phone, Email string
	AboutName         string // account that it is about, where that is another
	customer, invoice string
}

// Party is whom a paper is for, as other rooms know it.
type Party struct {
	Account    string // name
	Enterprise bool
	TaxID      string
	Country    string
	AboutName  string
}

var code = regexp.MustCompile(`^[a-z][a-z0-9-]{0,15}$`)

// CheckProfile says what is wrong with a profile.
func CheckProfile(p *Profile) error {
	for _, k := range []struct {
		name, text string
		most       int
	}{{"title", p.Title, 256}, {"address", p.Address, 512}, {"recipient", p.Recipient, 128}, {"zip_code", p.Zip, 32}, {"mobile_phone", p.Phone, 32}, {"email", p.Email, 128}} {
		if utf8.RuneCountInString(k.text) > k.most || strings.ContainsFunc(k.text, func(c rune) bool { return c < ' ' }) {
			return fault.New(fault.Invalid, "CBC.0100", "%s: must have at most %d characters, in one line", k.name, k.most)
		}
	}
	if p.Email != "" && !strings.Contains(p.Email, "@") {
		return fault.New(fault.Invalid, "CBC.0100", "email: must be an address")
	}
	return nil
}

// ProfileOf reads a customer's profile; one that was never set is empty.
func ProfileOf(ctx context.Context, r db.Reader, customer string) (Profile, error) {
	return profile(ctx, r, customer)
}

// SetProfile sets to whom papers are addressed from now on, and lets those that waited for it have their turn.
func SetProfile(ctx context.Context, tx *db.Tx, p *Profile) error {
	if err := CheckProfile(p); err != nil {
		return err
	}
	p.Changed = tx.Now
	if err := setProfile(ctx, tx, p); err != nil {
		return err
	}
	return Retry(ctx, tx, p.Customer)
}

// Retry lets a customer's papers that wait for a tax id have their turn again.
func Retry(ctx context.Context, tx *db.Tx, customer string) error {
	return setWaits(ctx, tx, customer, "", false)
}

// Issuers lists who issues papers.
func Issuers(ctx context.Context, r db.Reader) ([]Issuer, error) { return issuers(ctx, r) }

// SetIssuer names an issuer, or changes what papers say of it from now on. Its prefix stays.
func SetIssuer(ctx context.Context, tx *db.Tx, i *Issuer) error {
	all, err := issuers(ctx, tx)
	if err != nil {
		return err
	}
	wrong := func(text string, args ...any) error { return fault.New(fault.Invalid, "CBC.0100", text, args...) }
	if !code.MatchString(i.Code) {
		return wrong("code: must be 1 to 16 small letters, digits and -, beginning with a letter")
	}
	if i.Prefix == "" {
		if i.Prefix = strings.ToUpper(i.Code) + "-"; i.Code == House {
			i.Prefix = housePrefix
		}
	}
	if strings.TrimSpace(i.Name) == "" || len(i.Name) > 256 || len(i.Address) > 512 || len(i.TaxID) > 64 || len(i.Note) > 1024 || len(i.Prefix) > 16 {
		return wrong("name: must be there, with at most 256 bytes; address 512, tax_id 64, note 1024, prefix 16")
	}
	for _, country := range i.Countries {
		if len(country) != 2 || strings.ToUpper(country) != country {
			return wrong("countries: must be two capital letters each, such as SG")
		}
	}
	slices.Sort(i.Countries)
	for _, other := range all {
		switch {
		case other.Code == i.Code:
			i.Prefix = other.Prefix
		case other.Prefix == i.Prefix:
			return fault.New(fault.Conflict, "PURSER.0913", "issuer %s has the prefix %s already", other.Code, i.Prefix)
		case len(other.Countries) == 0 && len(i.Countries) == 0:
			return fault.New(fault.Conflict, "PURSER.0913", "issuer %s is there for every country already", other.Code)
		}
		for _, country := range i.Countries {
			if other.Code != i.Code && slices.Contains(other.Countries, country) {
				return fault.New(fault.Conflict, "PURSER.0913", "issuer %s is there for %s already", other.Code, country)
			}
		}
	}
	i.Changed = tx.Now
	return setIssuer(ctx, tx, i)
}

// housePrefix begins the numbers of the house's own issuer.
const housePrefix = "INV-"

// IssuerFor picks who issues papers for a country.
func IssuerFor(all []Issuer, country string) Issuer {
	of := Issuer{Code: House, Name: "purser", Prefix: housePrefix}
	country, _, _ = strings.Cut(country, "-")
	for _, i := range all {
		if slices.Contains(i.Countries, country) && country != "" {
			return i
		}
		if len(i.Countries) == 0 {
			of = i
		}
	}
	return of
}

// SealSome gives up to n papers whose turn it is their numbers: in the order in which they were recorded, one behind the
// other for each issuer. party tells whom each is for; an enterprise without a tax id makes its papers wait. It says how many
// had their turn; none is left when that is 0.
func SealSome(ctx context.Context, tx *db.Tx, n int, party func(p *Paper) (Party, error)) (turns int, err error) {
	papers, err := turn(ctx, tx, n)
	if err != nil || len(papers) == 0 {
		return 0, err
	}
	all, err := issuers(ctx, tx)
	if err != nil {
		return 0, err
	}
	last := map[string]int64{}
	for i := range papers {
		p := &papers[i]
		to, err := party(p)
		if err != nil {
			return 0, err
		}
		if to.Enterprise && to.TaxID == "" {
			if err := setWaits(ctx, tx, p.Customer, p.ID, true); err != nil {
				return 0, err
			}
			continue
		}
		profile, err := profile(ctx, tx, p.Customer)
		if err != nil {
			return 0, err
		}
		s := Seal{
			Issuer: IssuerFor(all, to.Country), Sealed: tx.Real, Enterprise: to.Enterprise, Title: cmp.Or(profile.Title, to.Account), TaxID: to.TaxID, Country: to.Country,
			Address: profile.Address, Recipient: profile.Recipient, Zip: profile.Zip, Phone: profile.Phone, Email: profile.Email, AboutName: to.AboutName,
			customer: p.Customer, invoice: p.ID,
		}
		if _, known := last[s.Issuer.Code]; !known {
			if last[s.Issuer.Code], err = lastNo(ctx, tx, s.Issuer.Code); err != nil {
				return 0, err
			}
		}
		last[s.Issuer.Code]++
		s.No = last[s.Issuer.Code]
		s.Number = fmt.Sprintf("%s%010d", s.Issuer.Prefix, s.No)
		if err := insertSeal(ctx, tx, &s); err != nil {
			return 0, err
		}
	}
	return len(papers), nil
}

// Waiting says whether a paper's turn has come.
func Waiting(ctx context.Context, r db.Reader) (bool, error) {
	return anyTurn(ctx, r)
}

// File reads a paper as it was printed in a language; nil: it was not yet.
func File(ctx context.Context, r db.Reader, p *Paper, language string) ([]byte, error) {
	return file(ctx, r, p.Customer, p.ID, language)
}

// KeepFile keeps a printed paper, unless one is kept already.
func KeepFile(ctx context.Context, tx *db.Tx, p *Paper, language string, content []byte) error {
	return insertFile(ctx, tx, p.Customer, p.ID, language, content)
}
