package portal

import (
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
)

// chart is what a picture shows: for each label a value of each series. It is drawn as SVG with integers only, and its values
// stand in a table beside it.
type chart struct {
	ID, Title string
	Labels    []string
	Series    []series
	Lines     bool // lines; else bars, stacked when there are several series
	Unit      string
	Marks     []mark // vertical lines with a text, at label positions
	Short     []string
}

type series struct {
	Name   string
	Values []amount
	Forth  []bool // drawn pale: a forecast
}

// mark is a vertical line at a place between labels, in thousandths of the whole width.
type mark struct {
	At   int
	Text string
}

// The picture's measures, in its own units.
const (
	chartWide   = 720
	chartHigh   = 240
	chartLeft   = 64
	chartRight  = 12
	chartTop    = 14
	chartBottom = 28
)

type bar struct {
	X, Y, W, H int
	Class      string
	Text       string
}

type tick struct {
	Y    int
	Text string
}

// top is the highest value that is drawn: sums where series are stacked.
func (c *chart) top() amount {
	var top amount
	for i := range c.Labels {
		var sum amount
		for _, s := range c.Series {
			if i >= len(s.Values) {
				continue
			}
			if c.Lines {
				sum = max(sum, s.Values[i])
			} else if s.Values[i] > 0 {
				sum += s.Values[i]
			}
		}
		top = max(top, sum)
	}
	return nice(top)
}

// bottom is the lowest value that is drawn, 0 or below.
func (c *chart) lowest() amount {
	var low amount
	for i := range c.Labels {
		var sum amount
		for _, s := range c.Series {
			if i < len(s.Values) && s.Values[i] < 0 {
				sum += s.Values[i]
			}
		}
		low = min(low, sum)
	}
	if low < 0 {
		return -nice(-low)
	}
	return 0
}

// nice is the next number of the form 1, 2, 4, 5 or 10 times a power of ten.
func nice(a amount) amount {
	if a <= 0 {
		return oneUnit
	}
	for step := amount(1); step > 0 && step < 1<<59; step *= 10 {
		for _, m := range []amount{1, 2, 4, 5, 8} {
			if step*m >= a {
				return step * m
			}
		}
	}
	return a
}

// scale is a × to / of.
func scale(a, of amount, to int) int {
	if of <= 0 {
		return 0
	}
	negative := a < 0
	if negative {
		a = -a
	}
	high, low := bits.Mul64(uint64(a), uint64(to))
	n, _ := bits.Div64(high, low, uint64(of))
	if negative {
		return -int(n)
	}
	return int(n)
}

func (c *chart) plotHigh() int { return chartHigh - chartTop - chartBottom }
func (c *chart) plotWide() int { return chartWide - chartLeft - chartRight }

// y is where a value lies.
func (c *chart) y(a amount) int {
	low, top := c.lowest(), c.top()
	return chartTop + c.plotHigh() - scale(a-low, top-low, c.plotHigh())
}

func (c *chart) ticks() []tick {
	low, top := c.lowest(), c.top()
	var out []tick
	for i := amount(0); i <= 4; i++ {
		a := top / 4 * i
		out = append(out, tick{c.y(a), short(a)})
	}
	if low < 0 {
		out = append(out, tick{c.y(low), short(low)})
	}
	return out
}

// short is an amount for an axis.
func short(a amount) string {
	text := a.quantity()
	if whole, fraction, has := strings.Cut(text, "."); has && len(fraction) > 4 {
		text = whole + "." + fraction[:4]
	}
	return text
}

// slot is where the i-th label's column begins, and how wide it is.
func (c *chart) slot(i int) (x, wide int) {
	n := max(len(c.Labels), 1)
	x = chartLeft + c.plotWide()*i/n
	return x, chartLeft + c.plotWide()*(i+1)/n - x
}

func (c *chart) bars() []bar {
	var out []bar
	for i, label := range c.Labels {
		x, wide := c.slot(i)
		gap := max(wide/6, 1)
		up, down := amount(0), amount(0)
		for k, s := range c.Series {
			if i >= len(s.Values) || s.Values[i] == 0 {
				continue
			}
			a := s.Values[i]
			from := up
			if a < 0 {
				from = down
				down += a
			} else {
				up += a
			}
			y1, y2 := c.y(from), c.y(from+a)
			class := "s" + strconv.Itoa(k%8)
			if i < len(s.Forth) && s.Forth[i] {
				class += " pale"
			}
			out = append(out, bar{X: x + gap, Y: min(y1, y2), W: max(wide-2*gap, 1), H: max(abs(y1-y2), 1), Class: class, Text: c.tip(k, i, label)})
		}
	}
	return out
}

func abs(n int) int { return max(n, -n) }

func (c *chart) tip(k, i int, label string) string {
	s := &c.Series[k]
	name := s.Name
	if name != "" {
		name += ", "
	}
	return name + label + ": " + s.Values[i].String() + " " + c.Unit
}

// path is the line of a series; its points lie in the middle of their columns.
func (c *chart) path(k int) string {
	var b strings.Builder
	for i := range c.Series[k].Values {
		x, wide := c.slot(i)
		if i == 0 {
			b.WriteByte('M')
		} else {
			b.WriteByte('L')
		}
		b.WriteString(strconv.Itoa(x+wide/2) + " " + strconv.Itoa(c.y(c.Series[k].Values[i])))
	}
	return b.String()
}

// dots are the points of a series, with what they stand for.
func (c *chart) dots(k int) []bar {
	var out []bar
	for i, a := range c.Series[k].Values {
		x, wide := c.slot(i)
		out = append(out, bar{X: x + wide/2, Y: c.y(a), Class: "s" + strconv.Itoa(k%8), Text: c.tip(k, i, c.Labels[i])})
	}
	return out
}

// letterWide is how wide a letter of a label is, at most.
const letterWide = 7

// names are the labels that are written below, as many as there is room for.
func (c *chart) names() []bar {
	if len(c.Labels) == 0 {
		return nil
	}
	each := (len(c.Labels) + 11) / 12
	var out []bar
	var texts []string
	for i, label := range c.Labels {
		if i%each != 0 {
			continue
		}
		if i < len(c.Short) {
			label = c.Short[i]
		}
		x, wide := c.slot(i)
		out, texts = append(out, bar{X: x + wide/2, Y: chartHigh - 10}), append(texts, label)
	}
	for i, text := range shortened(texts, max(4, each*c.plotWide()/len(c.Labels)/letterWide)) {
		out[i].Text = text
	}
	return out
}

// shortened are names cut for an axis so that different ones do not look alike: of those with the same first letters the words
// are shown that differ, and where even these look alike they are numbered.
func shortened(names []string, most int) []string {
	out := make([]string, len(names))
	alike := map[string][]int{}
	for i, name := range names {
		out[i] = cut(name, most)
		if out[i] != name {
			alike[out[i]] = append(alike[out[i]], i)
		}
	}
	for _, group := range alike {
		if len(group) == 1 {
			continue
		}
		same := sameWords(names, group)
		for _, i := range group {
			if rest := names[i][same:]; same > 0 && rest != "" {
				out[i] = cut("…"+rest, most)
			}
		}
	}
	seen := map[string]int{}
	for i, text := range out {
		if seen[text]++; seen[text] > 1 && text != names[i] {
			number := " " + strconv.Itoa(seen[text])
			out[i] = cut(text, most-len(number)) + number
		}
	}
	return out
}

// sameWords is how many bytes some of the names have in common from their beginning: whole words, where they have words.
func sameWords(names []string, group []int) int {
	same := names[group[0]]
	for _, i := range group[1:] {
		for !strings.HasPrefix(names[i], same) {
			_, last := utf8.DecodeLastRuneInString(same)
			same = same[:len(same)-last]
		}
	}
	if end := strings.LastIndexAny(same, " -_./"); end >= 0 {
		return end + 1
	}
	return len(same)
}

// cut shortens a name to some letters; those of Chinese count twice.
func cut(name string, most int) string {
	letters := []rune(name)
	wide := 0
	for i, r := range letters {
		wide++
		if r > 0x2e80 {
			wide++
		}
		if wide > most {
			return string(letters[:i]) + "…"
		}
	}
	return name
}

func (c *chart) markX(m mark) int { return chartLeft + c.plotWide()*m.At/1000 }
