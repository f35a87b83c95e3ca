package paper

import (
	"strings"
	"unicode"

	"github.com/signintech/gopdf"
)

// Places on an A4 page, in points from its upper left corner.
const (
	width  = 595.28
	height = 841.89
	left   = 48.0
	right  = width - 48
	top    = 44.0
	bottom = height - 58
	lead   = 1.42 // of a line of text, in sizes
	pad    = 4.0  // beside a cell's text
)

// style is how a text looks.
type style struct {
	size float64
	bold bool
	grey bool
}

var (
	titled  = style{size: 20, bold: true}
	named   = style{size: 11, bold: true}
	body    = style{size: 9}
	strong  = style{size: 9, bold: true}
	small   = style{size: 7.5, grey: true}
	label   = style{size: 8, grey: true}
	totaled = style{size: 10.5, bold: true}
)

// sheet is a document while it is drawn.
type sheet struct {
	doc   *Document
	pdf   gopdf.GoPdf
	names []string // fonts in the order in which they are asked for a character; bold goes before them where it is wanted
	has   map[string]map[rune]bool
	y     float64
	pages int
	err   error
}

// fail keeps the first thing that went wrong.
func (s *sheet) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// box stands for a character that no font has.
const box = '□'

// fontOf finds the font of a character in a style; the second answer replaces the character.
func (s *sheet) fontOf(c rune, st style) (string, rune) {
	list := s.names
	if st.bold {
		list = append([]string{bold}, list...)
	}
	for _, name := range list {
		there, known := s.has[name][c]
		if !known {
			s.fail(s.pdf.SetFont(name, "", 9))
			var err error
			there, err = s.pdf.IsCurrFontContainGlyph(c)
			s.fail(err)
			s.has[name][c] = there
		}
		if there {
			return name, c
		}
	}
	if c == box {
		return regular, ' '
	}
	return s.fontOf(box, style{})
}

// run is characters of one font.
type run struct {
	font string
	text string
}

// runs splits a text by fonts. One that bold has not all characters of is printed in regular throughout.
func (s *sheet) runs(text string, st style) (out []run) {
	if st.bold {
		for _, c := range text {
			if name, _ := s.fontOf(c, st); name != bold {
				st.bold = false
				break
			}
		}
	}
	for _, c := range text {
		if unicode.IsControl(c) {
			c = ' '
		}
		name, c := s.fontOf(c, st)
		if n := len(out); n > 0 && out[n-1].font == name {
			out[n-1].text += string(c)
			continue
		}
		out = append(out, run{name, string(c)})
	}
	return out
}

// wide is how wide a text is.
func (s *sheet) wide(text string, st style) (sum float64) {
	for _, r := range s.runs(text, st) {
		s.fail(s.pdf.SetFont(r.font, "", st.size))
		w, err := s.pdf.MeasureTextWidth(r.text)
		s.fail(err)
		sum += w
	}
	return sum
}

// put writes one line of text with its upper edge at y; flush right it ends at x.
func (s *sheet) put(x, y float64, text string, st style, flushRight bool) {
	if flushRight {
		x -= s.wide(text, st)
	}
	if st.grey {
		s.pdf.SetTextColor(100, 100, 100)
	} else {
		s.pdf.SetTextColor(20, 20, 20)
	}
	for _, r := range s.runs(text, st) {
		s.fail(s.pdf.SetFont(r.font, "", st.size))
		s.pdf.SetXY(x, y+st.size*1.08)
		s.fail(s.pdf.Text(r.text))
		w, err := s.pdf.MeasureTextWidth(r.text)
		s.fail(err)
		x += w
	}
}

// wrap breaks a text into lines that fit a width: at spaces, between Chinese characters, and inside of words that are longer
// than a line.
func (s *sheet) wrap(text string, st style, room float64) (lines []string) {
	for part := range strings.SplitSeq(text, "\n") {
		line, used := "", 0.0
		for _, word := range words(part) {
			w := s.wide(word, st)
			if used+s.wide(strings.TrimRight(word, " "), st) <= room {
				line, used = line+word, used+w
				continue
			}
			if strings.TrimSpace(line) != "" {
				lines = append(lines, strings.TrimRight(line, " "))
			}
			line, used = "", 0
			for _, c := range word {
				one := s.wide(string(c), st)
				if used+one > room && line != "" {
					lines = append(lines, line)
					line, used = "", 0
				}
				line, used = line+string(c), used+one
			}
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// words are the pieces between which a text may be broken, each with the spaces behind it.
func words(text string) (out []string) {
	start := 0
	all := []rune(text)
	for i := range all {
		if i+1 == len(all) {
			break
		}
		a, b := all[i], all[i+1]
		closes := strings.ContainsRune("，。、；：！？）》」％", b)
		if a == ' ' && b != ' ' || (unicode.Is(unicode.Han, a) || unicode.Is(unicode.Han, b)) && b != ' ' && !closes {
			out = append(out, string(all[start:i+1]))
			start = i + 1
		}
	}
	return append(out, string(all[start:]))
}

// block writes lines of text under each other, wrapped, and moves on.
func (s *sheet) block(x float64, room float64, text string, st style) {
	for _, r := range s.runs(text, st) { // in one weight throughout
		st.bold = st.bold && r.font == bold
	}
	for _, line := range s.wrap(text, st, room) {
		s.put(x, s.y, line, st, false)
		s.y += st.size * lead
	}
}

// rule draws a line across.
func (s *sheet) rule(x1, x2, y float64, strength float64) {
	s.pdf.SetLineWidth(strength)
	s.pdf.SetStrokeColor(150, 150, 150)
	s.pdf.Line(x1, y, x2, y)
}

// turn begins a page.
func (s *sheet) turn() {
	s.pdf.AddPage()
	s.pages++
	s.y = top
	if s.pages > 1 { // what it is, at its head
		s.put(left, s.y, s.doc.Subject, small, false)
		s.y += 16
	}
}

// room makes sure that what comes next fits on the page; it says whether a page was begun.
func (s *sheet) room(need float64) bool {
	if s.y+need <= bottom {
		return false
	}
	s.turn()
	return true
}

// draw lays the whole document out.
func (s *sheet) draw() {
	s.turn()
	s.head()
	s.table(s.doc.Columns, s.doc.Rows)
	s.totals()
	for i := range s.doc.Tables {
		t := &s.doc.Tables[i]
		if len(t.Rows) == 0 {
			continue
		}
		s.y += 14
		s.room(60)
		s.block(left, right-left, t.Title, strong)
		s.y += 3
		s.table(t.Columns, t.Rows)
	}
	if len(s.doc.Notes) > 0 {
		s.y += 16
	}
	for _, note := range s.doc.Notes {
		for _, line := range s.wrap(note, body, right-left) {
			s.room(body.size * lead)
			s.put(left, s.y, line, body, false)
			s.y += body.size * lead
		}
		s.y += 3
	}
	for page := 1; page <= s.pages; page++ {
		s.fail(s.pdf.SetPage(page))
		s.rule(left, right, bottom+12, 0.5)
		s.put(left, bottom+17, s.doc.Foot, small, false)
		s.put(right, bottom+17, s.doc.Page(page, s.pages), small, true)
	}
}

// head writes who issues it, what it is, and whom it is for.
func (s *sheet) head() {
	const half = 300.0
	s.put(right, s.y-4, s.doc.Title, titled, true)
	beside := s.y + 30
	st := named
	for _, text := range s.doc.Issuer {
		s.block(left, half-left, text, st)
		if st == named {
			s.y += 2
		}
		st = body
	}
	after := s.y
	s.y = beside
	for _, f := range s.doc.Facts {
		s.put(half+22, s.y, f.Name, label, false)
		for _, line := range s.wrap(f.Value, body, right-half-112) {
			s.put(half+112, s.y-0.8, line, body, false)
			s.y += body.size * lead
		}
		s.y += 1
	}
	s.y = max(s.y, after) + 12
	s.rule(left, right, s.y, 0.8)
	s.y += 10
	s.block(left, right-left, s.doc.ToHead, label)
	st = named
	from := s.y
	for _, text := range s.doc.To {
		s.block(left, half-left, text, st)
		st = body
	}
	after = s.y
	s.y = from
	for _, text := range s.doc.About {
		s.block(half+22, right-half-22, text, body)
	}
	s.y = max(s.y, after) + 14
}

// table writes rows under their head, which is repeated on each page they go on to.
func (s *sheet) table(columns []Column, rows []Row) {
	all := 0
	for _, c := range columns {
		all += c.Parts
	}
	at := make([]float64, len(columns)+1)
	at[0] = left
	for i, c := range columns {
		at[i+1] = at[i] + (right-left)*float64(c.Parts)/float64(all)
	}
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = c.Head
	}
	heads := func() {
		h := s.rowHeight(columns, at, head, label)
		s.pdf.SetFillColor(238, 240, 244)
		s.pdf.RectFromUpperLeftWithStyle(left, s.y, right-left, h+2, "F")
		s.cells(columns, at, head, style{size: label.size, bold: true}, s.y+1)
		s.y += h + 4
	}
	s.room(60)
	heads()
	group := Row{}
	for i := range rows {
		r := &rows[i]
		st := body
		if r.Kind != Plain {
			st = strong
		}
		var need float64
		if r.Kind == Heading {
			group = *r
			need = float64(len(s.wrap(r.Cells[0], st, right-left-2*pad)))*st.size*lead + 6
			if i+1 < len(rows) { // never alone at a page's end
				need += s.rowHeight(columns, at, rows[i+1].Cells, body)
			}
		} else {
			need = s.rowHeight(columns, at, r.Cells, st)
		}
		if s.room(need) {
			heads()
			if r.Kind == Plain && len(group.Cells) > 0 {
				s.block(left+pad, right-left-2*pad, group.Cells[0]+" …", strong)
			}
		}
		switch r.Kind {
		case Heading:
			s.y += 3
			s.block(left+pad, right-left-2*pad, r.Cells[0], st)
			s.y += 1
			continue
		case Sum:
			s.rule(at[firstSum(r.Cells)], right, s.y, 0.4)
		}
		s.cells(columns, at, r.Cells, st, s.y)
		s.y += need
	}
	s.rule(left, right, s.y+1, 0.8)
	s.y += 6
}

// firstSum is the first cell behind a sum's name that has one.
func firstSum(cells []string) int {
	for i := 1; i < len(cells); i++ {
		if cells[i] != "" {
			return i
		}
	}
	return 0
}

// roomOf is how wide the text of a cell may be.
func roomOf(at []float64, i int) float64 { return at[i+1] - at[i] - 2*pad }

func (s *sheet) rowHeight(columns []Column, at []float64, cells []string, st style) float64 {
	most := 1
	for i := range columns {
		if i < len(cells) && cells[i] != "" {
			most = max(most, len(s.wrap(cells[i], st, roomOf(at, i))))
		}
	}
	return float64(most)*st.size*lead + 2
}

func (s *sheet) cells(columns []Column, at []float64, cells []string, st style, y float64) {
	for i, c := range columns {
		if i >= len(cells) || cells[i] == "" {
			continue
		}
		for k, line := range s.wrap(cells[i], st, roomOf(at, i)) {
			x := at[i] + pad
			if c.Right {
				x = at[i+1] - pad
			}
			s.put(x, y+float64(k)*st.size*lead+1, line, st, c.Right)
		}
	}
}

// totals writes the sums at the right.
func (s *sheet) totals() {
	n := float64(len(s.doc.Totals))
	s.y += 4
	s.room(n*totaled.size*lead + 12)
	for i, f := range s.doc.Totals {
		st := body
		if i >= len(s.doc.Totals)-s.doc.Strong {
			st = totaled
			if i == len(s.doc.Totals)-s.doc.Strong {
				s.y += 2
				s.rule(right-240, right, s.y, 0.6)
				s.y += 3
			}
		}
		s.put(right-236, s.y, f.Name, st, false)
		s.put(right-pad, s.y, f.Value, st, true)
		s.y += st.size*lead + 1
	}
}
