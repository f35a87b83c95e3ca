// Package paper prints: it lays a document of texts out on A4 pages and writes it as PDF, with its fonts in it.
//
// It knows nothing of what it prints: amounts are texts here, and numbers only places on the page. It owns the fonts.
//
// Invariants: the same document is the same bytes; nothing that was asked for is left out: long texts wrap, tables go on over
// pages with their heads repeated, and a character that no font has is printed as an empty box.
package paper

import (
	"bytes"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/signintech/gopdf"
)

// Document is what is to be printed.
type Document struct {
	Title   string
	Subject string    // of the file, for readers' title bars
	Made    time.Time // dates the file
	Issuer  []string  // the first is its name
	Facts   []Fact    // beside the issuer
	ToHead  string
	To      []string // whom it is for; the first is the name
	About   []string // behind it
	Columns []Column
	Rows    []Row
	Totals  []Fact
	Strong  int      // how many of the last totals stand out
	Tables  []Table  // behind the totals
	Notes   []string // at the end
	Foot    string   // on each page
	Page    func(page, of int) string
	Font    []byte // TrueType, for what the shipped fonts lack; nil: none
}

// Fact is a name and what it is.
type Fact struct{ Name, Value string }

// Column is a column of the table: its width in parts of all, and whether it is flush right.
type Column struct {
	Head  string
	Parts int
	Right bool
}

// RowKind is how a row looks.
type RowKind int

// The kinds.
const (
	Plain   RowKind = iota
	Heading         // of a group: its first cell goes over the whole width
	Sum             // of a group
)

// Row is one row of the table.
type Row struct {
	Kind  RowKind
	Cells []string
}

// Table is a small table of its own, with its head.
type Table struct {
	Title   string
	Columns []Column
	Rows    []Row
}

//go:embed font/regular.ttf.zst
var packedRegular []byte

//go:embed font/bold.ttf.zst
var packedBold []byte

// fonts unpacks the shipped fonts, once.
var fonts = sync.OnceValues(func() (out [2][]byte, err error) {
	reader, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return out, err
	}
	defer reader.Close()
	for i, packed := range [][]byte{packedRegular, packedBold} {
		if out[i], err = reader.DecodeAll(packed, nil); err != nil {
			return out, fmt.Errorf("unpack a font: %w", err)
		}
	}
	return out, nil
})

// Names of the fonts in a file.
const (
	regular = "regular"
	bold    = "bold"
	given   = "given"
)

// CheckFont says whether a TrueType font can be printed with.
func CheckFont(font []byte) error {
	p := &gopdf.GoPdf{}
	p.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	return p.AddTTFFontData(given, font)
}

// Print prints a document.
func Print(d *Document) ([]byte, error) {
	shipped, err := fonts()
	if err != nil {
		return nil, err
	}
	s := &sheet{doc: d, has: map[string]map[rune]bool{regular: {}, bold: {}, given: {}}}
	s.pdf.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	s.pdf.SetInfo(gopdf.PdfInfo{Title: d.Subject, Subject: d.Subject, Author: first(d.Issuer), Creator: "purser", Producer: "purser", CreationDate: d.Made.UTC()})
	for i, name := range []string{regular, bold} {
		if err := s.pdf.AddTTFFontData(name, shipped[i]); err != nil {
			return nil, fmt.Errorf("font %s: %w", name, err)
		}
	}
	s.names = []string{regular}
	if d.Font != nil {
		if err := s.pdf.AddTTFFontData(given, d.Font); err != nil {
			return nil, fmt.Errorf("the given font: %w", err)
		}
		s.names = append(s.names, given)
	}
	s.draw()
	if s.err != nil {
		return nil, s.err
	}
	var out bytes.Buffer
	if _, err := s.pdf.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write the file: %w", err)
	}
	return out.Bytes(), nil
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
